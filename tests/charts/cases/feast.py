"""The feature store."""

from __future__ import annotations

from tests.charts.cases import Case

CASE = Case(
    namespace="feast",
    variants=(
        {"replicas": 2, "writable": True, "service": {"type": "NodePort", "nodePort": 30566}},
        {
            "repository": {
                "demo": False,
                "definitions": {"shops.py": "from feast import Entity\n"},
                "configMap": "site-features",
            },
        },
        {"trustedCa": {"configMap": "site-ca"}, "onlineStore": {"tls": True, "secret": ""}},
    ),
    refused=(
        ({"project": "My Project"}, "project"),
        ({"repository": {"definitions": {"../x.py": "x"}}}, "x.py"),
        ({"onlineStore": {"password": "x"}}, "password"),
        ({"materialize": {"schedule": "hourly"}}, "schedule"),
    ),
)
