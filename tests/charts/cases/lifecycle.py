from tests.charts.cases import Case

TENANTS = [
    {"name": "demo", "namespace": "tenant-demo", "tokenSecret": "tenant-demo-token"},
    {"name": "other", "namespace": "tenant-other", "tokenSecret": "tenant-other-token"},
]

MODELS = [
    {
        "tenant": "demo",
        "name": "wine",
        "namespace": "tenant-demo",
        "bucket": "tenant-demo",
        "pipeline": "tabular-classification",
        "parameters": {"data": "sklearn://wine"},
        "retrain": {"coolDown": "1h", "schedule": "0 3 * * *", "drift": True},
        "drift": {"schedule": "*/30 * * * *", "share": 0.5},
        "batch": {"nightly": {"schedule": "0 1 * * *", "source": "s3://b/in", "key": ["id"]}},
    },
    {
        "tenant": "other",
        "name": "a-model-whose-name-is-as-long-as-it-may-be-in-the-configuration",
        "namespace": "tenant-other",
        "pipeline": "tabular-regression",
        "drift": {"schedule": "0 * * * *"},
    },
]

CASE = Case(
    namespace="lifecycle",
    # jobs that execute what a tenant made
    other_namespaces=("tenant-demo", "tenant-other"),
    values={"tenants": TENANTS},
    variants=[
        {"models": MODELS, "triggers": {"replicas": 2}, "prometheus": "http://prometheus:9090"},
        {
            "models": [{**MODELS[0], "pipelineEngine": "kfp"}],
            "pipelines": "http://ml-pipeline:8888",
        },
        {"models": MODELS, "triggers": {"enabled": False}, "tracking": {"secret": "mlflow-login"}},
        {"tenants": TENANTS, "gateway": {"replicas": 2}, "imagePullSecrets": [{"name": "site"}]},
        {
            "tenants": [],
            "trustedCa": {"configMap": "site-ca"},
            "proxy": {"https": "http://proxy.example:3128"},
            "metrics": {"enabled": False},
        },
    ],
    refused=[
        ({"gateway": {"replicas": 0}}, "replicas"),
        ({"gateway": {"bodyBytes": 1}}, "bodyBytes"),
        ({"tenants": [{"name": "demo"}]}, "tenants"),
        ({"database": {"password": "plain"}}, "password"),
        ({"networkPolicy": {"modelPorts": []}}, "modelPorts"),
        ({"models": [{**MODELS[0], "drift": {"schedule": "hourly"}}]}, "schedule"),
        ({"models": [{**MODELS[0], "batch": {"n": {"source": "ftp://x"}}}]}, "batch"),
        ({"triggers": {"token": "plain"}}, "token"),
    ],
    breaks={
        "Deployment/trigger-controller: has a token of the API and no binding of a role": (
            "the chart `tenant` binds ClusterRole lifecycle-tenant in each tenant's namespace"
        ),
    },
)
