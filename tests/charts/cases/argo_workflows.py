from tests.charts.cases import Case

CASE = Case(
    namespace="argo",
    variants=[
        {"trustedCa": {"configMap": "site-ca"}},
        {"replicas": 2, "imagePullSecrets": [{"name": "site-registry"}]},
        {"proxy": {"https": "http://proxy.example:3128"}, "metrics": {"enabled": False}},
    ],
    refused=[
        ({"workflow": {"runAs": {"user": 0}}}, "user"),
        ({"workflow": {"serviceAccount": "Not A Name"}}, "serviceAccount"),
        ({"workflow": {"deadlineSeconds": 0}}, "deadlineSeconds"),
        ({"networkPolicy": {"apiServer": {"cidrs": []}}}, "cidrs"),
    ],
)
