"""Metrics and alerts."""

from __future__ import annotations

from mlops_infra import contract
from mlops_infra.catalog.secrets import ServerCertificate
from mlops_infra.config.language import quantities
from mlops_infra.plan.network.certificates import CERTIFICATES_END
from mlops_infra.plan.values.context import Context, Values

TRIGGERS = "http://trigger-controller.lifecycle.svc:8080/alerts"
"""Where alerts go that ask for a new training."""
_TRIGGER_PODS = {
    "namespace": "lifecycle",
    "podLabels": {contract.NAME_LABEL: "lifecycle"},
    "port": 8080,
}
_SCRAPED = ("argo-workflows", "kserve", "lifecycle", "mlflow")
"""Components whose Pods tell metrics; where one of them is planned, it must be there."""
_SHARE = 0.8
"""Of the volume, in whole megabytes; the rest is for what is being written."""


def values(context: Context) -> Values:
    """Where Pods are looked for, how long metrics stay, and who hears of alerts."""
    settings = context.config.components.prometheus.settings
    return {
        **context.volume(settings.size),
        "namespaces": _namespaces(context),
        "expected": [name for name in _SCRAPED if name in context.selection],
        "certificates": _certificates(context),
        "signIns": _sign_ins(context),
        "scrapeSeconds": settings.scrape_seconds,
        "retention": {"days": settings.days, "size": retained(settings.size)},
        "thresholds": {
            "errorShare": settings.thresholds.error_share,
            "latencySeconds": settings.thresholds.latency_seconds,
            "refusedShare": settings.thresholds.refused_share,
            "silentHours": settings.thresholds.silent_hours,
            "batchHours": settings.thresholds.batch_hours,
            "certificateDays": settings.thresholds.certificate_days,
            "volumeShare": settings.thresholds.volume_share,
        },
        "alertmanager": _alerting(context),
    }


def retained(size: str) -> str:
    """How much of a volume of `size` metrics may take, as Prometheus writes it."""
    return f"{int(float(quantities.parse(size)) / 1e6 * _SHARE)}MB"


def _namespaces(context: Context) -> list[str]:
    chosen = (choice.component.namespace for choice in context.selection.choices)
    return sorted({*(name for name in chosen if name), *context.tenants.values()})


def _certificates(context: Context) -> list[Values]:
    """Secrets with a server's certificate, and when all of them end."""
    return [
        {
            "namespace": choice.component.namespace or "",
            "secret": secret.name,
            "ends": CERTIFICATES_END,
        }
        for choice in context.selection.choices
        for secret in choice.component.secrets
        if any(isinstance(recipe, ServerCertificate) for recipe in secret.keys.values())
    ]


def _sign_ins(context: Context) -> list[Values]:
    mlflow = context.config.components.mlflow
    if "mlflow" not in context.selection or not mlflow.settings.auth:
        return []
    return [{"namespace": context.catalog["mlflow"].namespace, "secret": "mlflow-metrics"}]


def _alerting(context: Context) -> Values:
    settings = context.config.components.prometheus.settings
    site = bool(settings.webhook_secret or settings.slack_secret)
    found: Values = {
        "receivers": {
            "webhook": settings.webhook_secret or "",
            "slack": {"secret": settings.slack_secret or ""},
        },
        # Secrets hold their addresses, and policies know no names: the ports of the web to all.
        "servers": [{"cidr": "0.0.0.0/0", "port": port} for port in (80, 443)] if site else [],
    }
    if "lifecycle" in context.selection:
        found["retraining"] = {"url": TRIGGERS, "secret": contract.TRIGGER_TOKEN_SECRET}
        found["servers"] = [*found["servers"], _TRIGGER_PODS]
    return found
