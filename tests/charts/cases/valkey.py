from tests.charts.cases import Case

CASE = Case(
    namespace="mlops-stores",
    stateful=True,
    variants=[
        {"podDisruptionBudget": {"enabled": True}, "service": {"type": "LoadBalancer"}},
        {"accounts": [{"secret": "tenant-demo-kv"}]},
    ],
    refused=[
        ({"maxmemory": "half"}, "maxmemory"),
        ({"maxmemoryPolicy": "never"}, "maxmemoryPolicy"),
    ],
)
