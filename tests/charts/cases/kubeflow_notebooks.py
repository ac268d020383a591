from tests.charts.cases import Case

_KIM = {"tenant": "demo", "namespace": "tenant-demo", "name": "kim", "secret": "notebook-kim"}
_LEE = {"tenant": "vision", "namespace": "tenant-vision", "name": "lee", "secret": "notebook-lee"}

CASE = Case(
    namespace="kubeflow",
    values={"users": [_KIM, _LEE]},
    variants=[
        {"trustedCa": {"configMap": "site-ca"}, "controller": {"replicas": 2}},
        {"awaitReady": False},
    ],
    refused=[
        ({"users": [{**_KIM, "name": "Kim"}]}, "name"),
        ({"users": [{**_KIM, "secret": ""}]}, "secret"),
        ({"cull": {"kernelSeconds": 0}}, "kernelSeconds"),
    ],
    other_namespaces=("tenant-demo", "tenant-vision"),
)
