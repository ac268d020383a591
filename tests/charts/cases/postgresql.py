from tests.charts.cases import Case

CASE = Case(
    namespace="mlops-stores",
    stateful=True,
    variants=[{"databases": [{"secret": "mlflow-db"}], "podDisruptionBudget": {"enabled": True}}],
    refused=[
        ({"auth": {"password": "plain"}}, "password"),
        ({"databases": [{"name": "x", "password": "y"}]}, "databases"),
        ({"databases": [{"secret": "a"}, {"secret": "a"}]}, "databases"),
        ({"settings": {"listen_addresses": "*"}}, "listen_addresses"),
        ({"settings": {"work_mem": "1MB'\nhba_file = 'x"}}, "work_mem"),
        ({"persistence": {"size": "big"}}, "size"),
    ],
)
