from tests.charts.cases import Case

CASE = Case(
    namespace="kubeflow",
    variants=[
        {
            "mlflow": {"endpoint": "http://mlflow.mlflow.svc:5000", "login": True},
            "networkPolicy": {"tenants": [{"namespace": "tenant-demo"}]},
            "ui": {"replicas": 2},
            "trustedCa": {"configMap": "site-ca"},
        },
    ],
    refused=[
        ({"database": {"password": "plain"}}, "password"),
        ({"database": {"name": "a`b"}}, "name"),
        ({"mlflow": {"login": "another-name"}}, "login"),
        ({"mlflow": {"endpoint": "http://user:password@host"}}, "endpoint"),
        ({"runner": {"runAs": {"user": 0}}}, "user"),
        ({"objectStore": {"host": "http://x"}}, "host"),
    ],
    breaks={
        f"StatefulSet/kubeflow-pipelines-mysql/mysql: {variable} is not taken from a Secret": (
            "it is the path of a mounted Secret, which is how the image reads passwords"
        )
        for variable in ("MYSQL_PASSWORD_FILE", "MYSQL_ROOT_PASSWORD_FILE")
    },
)
