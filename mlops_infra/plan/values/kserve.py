"""Model serving: who may run models, what they run in, and how webhooks are trusted."""

from __future__ import annotations

from mlops_infra.catalog import Component, Image
from mlops_infra.plan.images.roles import is_ours, user
from mlops_infra.plan.model.planned import NODE
from mlops_infra.plan.values.context import Context, Values
from mlops_infra.plan.values.operators import webhook

FORMATS = {
    "built": ["mlflow", "sklearn", "xgboost", "lightgbm"],
    "upstream": ["mlflow"],
}
"""What the MLServer image understands: upstream has one image a format, ours has all of them."""


def values(context: Context) -> Values:
    """Certificates, runtimes and the tenants whose keys the controller may read."""
    settings = context.config.components.kserve.settings
    mlserver = _image(context.component, "mlserver")
    ours = is_ours(context.component, mlserver, context.config.network)
    formats = FORMATS["built" if ours else "upstream"]
    return {
        "replicas": settings.replicas,
        **webhook(context, "kserve-webhook-server-cert"),
        # with tenants declared, each of them says so itself
        "credentialsEverywhere": not context.tenants,
        "features": {"agent": settings.request_agent, "graphs": settings.inference_graphs},
        "storage": _user(context, "storageInitializer"),
        "runtimes": {
            "mlserver": {**_user(context, "mlserver"), "formats": formats},
            "tensorflow": {"enabled": settings.tensorflow},
            "triton": {"enabled": settings.triton},
            "torchserve": {"enabled": settings.torchserve},
            "bentoml": {"enabled": settings.bentoml_image is not None},
        },
        **_api_server(context),
    }


def _api_server(context: Context) -> Values:
    """Who calls the webhooks, and where the Kubernetes API answers; everywhere where unknown."""
    cluster = context.config.cluster
    cidrs = [f"{NODE}/32"] if cluster.embedded else list(cluster.api_server)
    return {"networkPolicy": {"apiServer": {"cidrs": cidrs}}} if cidrs else {}


def _user(context: Context, role: str) -> Values:
    image = _image(context.component, role)
    found = user(context.component, image, context.config.network)
    return {"user": found.user} if found else {}


def _image(component: Component, role: str) -> Image:
    return next(image for image in component.images if image.role == role)
