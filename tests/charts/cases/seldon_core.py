from tests.charts.cases import Case

CASE = Case(
    namespace="seldon-system",
    variants=[{"operator": {"replicas": 2}}, {"webhook": {"enabled": False}}],
    refused=[
        ({"webhook": {"caBundle": "-----BEGIN CERTIFICATE-----"}}, "caBundle"),
        ({"executor": {"user": 0}}, "user"),
    ],
    breaks={
        "Deployment/seldon-manager/manager: PREDICTIVE_UNIT_DEFAULT_ENV_SECRET_REF_NAME is not"
        " taken from a Secret": "it is the name of a Secret, not what is in one"
    },
    maps_by_name={"seldon-config": "the operator looks it up by this name"},
)
