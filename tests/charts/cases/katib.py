from tests.charts.cases import Case

CASE = Case(
    namespace="kubeflow",
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
