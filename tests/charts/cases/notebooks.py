from tests.charts.cases import Case

_KIM = {"tenant": "demo", "namespace": "tenant-demo", "name": "kim", "secret": "notebook-kim"}
_LEE = {"tenant": "vision", "namespace": "tenant-vision", "name": "lee", "secret": "notebook-lee"}

CASE = Case(
    namespace="notebooks",
    values={"users": [_KIM, _LEE]},
    variants=[
        {"trustedCa": {"configMap": "site-ca"}, "packages": "https://pypi.example/simple"},
        {"proxy": {"https": "http://proxy.example:3128"}, "router": {"replicas": 2}},
        {"networkPolicy": {"servers": [{"cidr": "192.0.2.7/32", "port": 443}]}},
    ],
    refused=[
        ({"users": [{**_KIM, "name": "Kim Lee"}]}, "name"),
        ({"users": [{**_KIM, "token": "plain"}]}, "token"),
        ({"users": [_KIM, _KIM]}, "users"),
        ({"packages": "https://user:password@pypi.example/simple"}, "packages"),
        ({"cull": {"kernelSeconds": 0}}, "kernelSeconds"),
        ({"persistence": {"size": "big"}}, "size"),
    ],
    other_namespaces=("tenant-demo", "tenant-vision"),
    breaks={
        f"StatefulSet/notebook-*: {what}": "the tenant's chart makes the account `notebook`"
        for what in (
            "no ServiceAccount of its own",
            "has a token of the API and no binding of a role",
        )
    },
)
