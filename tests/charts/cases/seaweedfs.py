from tests.charts.cases import Case

CASE = Case(
    namespace="mlops-stores",
    stateful=True,
    variants=[
        {
            "auth": {"users": [{"name": "demo", "bucket": "tenant-demo", "secret": "demo-s3"}]},
            "podDisruptionBudget": {"enabled": True},
            "service": {"type": "NodePort", "nodePort": 30900},
            "metrics": {"enabled": False},
        },
    ],
    refused=[
        ({"auth": {"secretKey": "plain"}}, "secretKey"),
        ({"auth": {"users": [{"name": "demo", "bucket": "No_Bucket", "secret": "x"}]}}, "bucket"),
        ({"persistence": {"size": "big"}}, "size"),
    ],
)
