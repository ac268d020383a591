from tests.charts.cases import Case

CASE = Case(
    namespace="mlflow",
    variants=[
        {"auth": {"enabled": True}, "replicas": 3},
        {"auth": {"enabled": True, "users": [{"secret": "tenant-demo-mlflow"}]}},
        {"trustedCa": {"configMap": "site-ca"}, "objectStore": {"endpoint": "", "secret": ""}},
    ],
    refused=[
        ({"database": {"password": "plain"}}, "password"),
        ({"objectStore": {"endpoint": "http://key:secret@host"}}, "endpoint"),
        ({"objectStore": {"bucket": "No_Bucket"}}, "bucket"),
        ({"workers": 0}, "workers"),
        ({"allowedHosts": ["a,b"]}, "allowedHosts"),
        ({"allowedHosts": ["{mlops-infra.node}"]}, "allowedHosts"),
    ],
)
