from tests.charts.cases import Case

CASE = Case(
    namespace="mlops-stores",
    stateful=True,
    variants=[
        {"accessLog": True, "service": {"type": "NodePort", "nodePort": 30900}},
        {
            "accounts": [
                {"secret": "tenant-demo-s3", "bucket": "tenant-demo", "onRemoval": "archive"}
            ]
        },
    ],
    refused=[
        ({"accounts": [{"secret": "a", "bucket": "b-b", "onRemoval": "forget"}]}, "onRemoval"),
    ],
)
