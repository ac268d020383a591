from tests.charts.cases import Case

CASE = Case(
    namespace="monitoring",
    variants=[
        {
            "anonymousViewers": True,
            "rootUrl": "https://mlops.example.com/grafana/",
            "trustedCa": {"configMap": "site-ca"},
            "service": {"type": "NodePort", "nodePort": 30300},
        },
    ],
    refused=[
        ({"auth": {"password": "plain"}}, "password"),
        ({"prometheus": {"url": "http://user:password@host"}}, "url"),
        ({"rootUrl": "mlops.example.com"}, "rootUrl"),
    ],
)
