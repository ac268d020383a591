from tests.charts.cases import Case

CASE = Case(
    namespace="airflow",
    variants=[
        {
            "dags": {"configMap": "dags"},
            "mlflow": "http://mlflow.mlflow.svc:5000",
            "trustedCa": {"configMap": "site-ca"},
            "apiServer": {"replicas": 2},
        },
    ],
    refused=[
        ({"auth": {"password": "plain"}}, "password"),
        ({"database": {"password": "plain"}}, "password"),
        ({"parallelism": 0}, "parallelism"),
    ],
    breaks={
        f"Deployment/airflow-{role}/{container}: AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_PASSWORDS_FILE "
        "is not taken from a Secret": "it is the path of a file that a Secret is read into"
        for role in ("api-server", "scheduler", "dag-processor", "triggerer")
        for container in ("passwords", "wait", role)
    },
)
