from tests.charts.cases import Case

_ROUTES = [
    {"name": "mlflow", "namespace": "mlflow", "service": "mlflow", "port": 5000, "login": True},
    {
        "name": "notebook-demo-kim",
        "host": "notebooks",
        "path": "/notebook/tenant-demo/kim/",
        "namespace": "tenant-demo",
        "service": "kim",
        "port": 80,
        "login": True,
    },
    {"name": "models", "namespace": "lifecycle", "service": "gateway", "port": 8000},
]

CASE = Case(
    namespace="gateway",
    variants=[
        {
            "tls": {"secret": "edge-certificate"},
            "oidc": {
                "issuer": "https://login.example.com/realms/ml",
                "clientId": "mlops",
                "secret": "edge-login",
            },
            "routes": _ROUTES,
            "service": {"type": "NodePort", "nodePort": 30443},
            "controller": {"replicas": 2},
            "trustedCa": {"configMap": "site-ca"},
        },
        {"awaitReady": False, "routes": _ROUTES},
    ],
    refused=[
        ({"oidc": {"issuer": "http://login.example.com"}}, "issuer"),
        ({"oidc": {"issuer": "https://login.example.com"}}, "unencrypted"),
        ({"oidc": {"clientSecret": "plain"}}, "clientSecret"),
        ({"routes": [{"name": "x.y", "namespace": "a", "service": "b", "port": 1}]}, "routes"),
        ({"hostname": "*.example.com"}, "hostname"),
    ],
)
