from tests.charts.cases import Case

CASE = Case(
    namespace="kubeflow",
    variants=[
        {"manager": {"replicas": 2}, "jobset": {"replicas": 2}},
        {"webhook": {"enabled": False}, "imagePullSecrets": [{"name": "site-registry"}]},
    ],
    refused=[
        ({"webhook": {"caBundle": "-----BEGIN CERTIFICATE-----"}}, "caBundle"),
        ({"runtimes": {"python": {"image": "jobset"}}}, "image"),
        ({"runtimes": {"python": {"runAs": {"user": 0}}}}, "user"),
    ],
)
