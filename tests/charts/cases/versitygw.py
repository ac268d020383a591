from tests.charts.cases import Case

CASE = Case(
    namespace="mlops-stores",
    stateful=True,
    variants=[
        {"accessLog": True, "service": {"type": "NodePort", "nodePort": 30900}},
        {
            "owner": {"secret": "object-store-platform"},
            "accounts": [{"secret": "tenant-demo-s3"}],
            "buckets": [{"name": "tenant-demo", "policy": "{}", "onRemoval": "archive"}],
        },
    ],
    refused=[
        ({"buckets": [{"name": "b-b", "policy": "{}", "onRemoval": "forget"}]}, "onRemoval"),
        ({"buckets": [{"name": "b-b", "policy": "all", "onRemoval": ""}]}, "policy"),
    ],
)
