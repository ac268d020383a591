from tests.charts.cases import Case

CASE = Case(
    namespace="tenant-demo",
    values={"tenant": {"name": "demo"}},
    variants=[
        {
            "tenant": {"name": "demo", "owner": "lee", "members": ["kim"], "groups": ["ml: demo"]},
            "quota": {"requests.cpu": "8", "limits.memory": "64Gi"},
            "serving": {"secret": "serving-s3"},
            "artifacts": {"endpoint": "s3.example:7070", "bucket": "tenant-demo", "insecure": True},
            "pipelines": {"enabled": True, "mlflowLogin": True},
            "controllers": [{"role": "kserve-tenant", "account": "kserve", "namespace": "kserve"}],
            "networkPolicy": {
                "servers": [{"namespace": "mlflow", "port": 5000}],
                "clients": [{"namespace": "lifecycle"}],
            },
        }
    ],
    refused=[
        ({"tenant": {"name": "Demo Team"}}, "name"),
        ({"platform": {"MLFLOW_TRACKING_URI": 1}}, "platform"),
        ({"quota": {"pods": "many"}}, "quota"),
        ({"networkPolicy": {"servers": [{"namespace": "mlflow"}]}}, "servers"),
    ],
    maps_by_name={
        "artifact-repositories": "Argo looks for it by this name in the namespace of a Workflow",
        "kfp-launcher": "driver and launcher of Kubeflow Pipelines look it up by this name",
        "platform": "Pods that people write read it by this name",
    },
)
