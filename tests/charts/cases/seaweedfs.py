from tests.charts.cases import Case

CASE = Case(
    namespace="mlops-stores",
    stateful=True,
    variants=[
        {
            "auth": {"users": [{"secret": "demo-s3", "actions": ["Read:tenant-demo", "List"]}]},
            "buckets": ["tenant-demo"],
            "podDisruptionBudget": {"enabled": True},
            "service": {"type": "NodePort", "nodePort": 30900},
            "metrics": {"enabled": False},
        },
    ],
    refused=[
        ({"keys": {"encryption": "plain"}}, "encryption"),
        ({"auth": {"secretKey": "plain"}}, "secretKey"),
        ({"auth": {"users": [{"secret": "x", "actions": ["Admin:b-b"]}]}}, "actions"),
        ({"buckets": ["No_Bucket"]}, "bucket"),
        ({"persistence": {"size": "big"}}, "size"),
    ],
)
