from tests.charts.cases import Case

_USERS = [{"tenant": "demo", "namespace": "tenant-demo", "name": "kim"}]

CASE = Case(
    namespace="kubeflow",
    values={"users": _USERS},
    variants=[
        {"trustedCa": {"configMap": "site-ca"}, "controller": {"replicas": 2}},
        {"awaitReady": False, "cull": {"idleMinutes": 0}},
    ],
    refused=[
        ({"users": [{"tenant": "demo", "namespace": "x", "name": "Kim"}]}, "name"),
        ({"cull": {"idleMinutes": -1}}, "idleMinutes"),
    ],
    other_namespaces=("tenant-demo",),
)
