from tests.charts.cases import Case

CASE = Case(
    namespace="mlops-stores",
    variants=[
        {
            "databases": [
                {"name": "mlflow", "owner": "mlflow", "secret": "mlflow-db"},
                {"name": "lifecycle", "owner": "lifecycle", "secret": "lifecycle-db"},
                {"name": "lifecycle", "owner": "tenant_demo", "secret": "tenant-demo-db"},
            ],
            "snapshots": {"schedule": "0 0 2 * * *", "class": "fast"},
            "settings": {"max_connections": 200},
            "operator": {"replicas": 2},
        },
        {"webhook": {"enabled": False}, "awaitReady": False, "instances": 1},
    ],
    refused=[
        ({"auth": {"password": "plain"}}, "password"),
        ({"instances": 0}, "instances"),
        ({"databases": [{"name": 'a" b', "owner": "x", "secret": "y"}]}, "databases"),
        ({"snapshots": {"schedule": "0 2 * * *"}}, "schedule"),
    ],
)
