from tests.charts.cases import Case

CASE = Case(
    namespace="monitoring",
    values={"namespaces": ["monitoring", "mlflow", "tenant-demo"], "expected": ["mlflow"]},
    variants=[
        {"trustedCa": {"configMap": "site-ca"}},
        {"signIns": [{"namespace": "mlflow", "secret": "mlflow-metrics"}], "kubelets": False},
        {
            "alertmanager": {
                "retraining": {"url": "http://controller.lifecycle.svc/a", "secret": "token"},
                "receivers": {
                    "webhook": "hook",
                    "slack": {"secret": "slack", "channel": "#ml"},
                    "email": {
                        "to": "ml@example.com",
                        "from": "alerts@example.com",
                        "smarthost": "mail.example.com:587",
                        "username": "alerts",
                        "secret": "mail",
                    },
                },
                "servers": [{"cidr": "192.0.2.0/24", "port": 587}],
            }
        },
        {"service": {"type": "NodePort", "nodePort": 30909}},
    ],
    refused=[
        ({"namespaces": []}, "namespaces"),
        ({"thresholds": {"errorShare": 2}}, "errorShare"),
        ({"retention": {"size": "all"}}, "size"),
        ({"scrapeSeconds": 1}, "scrapeSeconds"),
        ({"alertmanager": {"receivers": {"webhook": "https://x/token"}}}, "webhook"),
        ({"alertmanager": {"retraining": {"url": "http://u:p@x/"}}}, "url"),
    ],
)
