from tests.charts.cases import Case

CASE = Case(
    namespace="kubeflow",
    maps_by_name={"katib-config": "the controller asks the API for it by this name"},
    variants=[
        {
            "trials": {
                "namespaces": ["tenant-demo"],
                "resources": ["Job.v1.batch", "TrainJob.v1alpha1.trainer.kubeflow.org"],
            },
            "ui": {"replicas": 2},
        },
        {"webhook": {"enabled": False}},
    ],
    refused=[
        ({"database": {"password": "plain"}}, "password"),
        ({"webhook": {"caBundle": "-----BEGIN CERTIFICATE-----"}}, "caBundle"),
        ({"trials": {"algorithms": {"random": "controller"}}}, "random"),
        ({"trials": {"resources": ["Job"]}}, "resources"),
    ],
)
