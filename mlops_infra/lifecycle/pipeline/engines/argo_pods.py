"""The Pods of an Argo Workflow: their rights, their environment, their container."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from mlops_infra import contract
from mlops_infra.lifecycle.pipeline.definition.model import Resources
from mlops_infra.lifecycle.pipeline.engines.argo_settings import CODE_FOLDER, ArgoSettings
from mlops_infra.lifecycle.pipeline.engines.invocation import PROGRAM
from mlops_infra.lifecycle.services import environment

USER = 65532
"""User and group of the runtime image."""
PLATFORM = environment.PLATFORM
"""ConfigMap of the tenant with the endpoints."""
SECRETS = (
    ("AWS_ACCESS_KEY_ID", contract.OBJECT_STORE_SECRET, "accessKey", False),
    ("AWS_SECRET_ACCESS_KEY", contract.OBJECT_STORE_SECRET, "secretKey", False),
    ("MLFLOW_TRACKING_USERNAME", "mlflow", "username", True),
    ("MLFLOW_TRACKING_PASSWORD", "mlflow", "password", True),
    (contract.GATEWAY_TOKEN_VARIABLE, contract.GATEWAY_TOKEN_SECRET, "token", True),
    (contract.LINEAGE_PASSWORD_VARIABLE, "lineage", "password", True),
)
"""Variable, Secret of the tenant, key, and whether it may be absent."""
SCRATCH = "4Gi"
"""Room below /tmp, the only folder that a step can write to."""


def pod_defaults(code_config_map: str | None) -> dict[str, Any]:
    """What all Pods of a Workflow share; keys of its spec."""
    volumes: list[dict[str, Any]] = [{"name": "tmp", "emptyDir": {"sizeLimit": SCRATCH}}]
    if code_config_map is not None:
        volumes.append({"name": "code", "configMap": {"name": code_config_map}})
    return {
        "securityContext": {
            "runAsNonRoot": True,
            "runAsUser": USER,
            "runAsGroup": USER,
            "fsGroup": USER,
            "seccompProfile": {"type": "RuntimeDefault"},
        },
        "volumes": volumes,
    }


def container(
    settings: ArgoSettings, said: Sequence[str], resources: Resources | None = None
) -> dict[str, Any]:
    """One container that runs `mlops-infra` with the arguments `said`."""
    asked = resources or Resources()
    mounts = [{"name": "tmp", "mountPath": "/tmp"}]  # noqa: S108 - the Pod's own volume
    if settings.code_config_map is not None:
        mounts.append({"name": "code", "mountPath": CODE_FOLDER})
    return {
        "image": settings.image,
        "imagePullPolicy": "IfNotPresent",
        # Argo asks the registry for the entry point where none is written: there may be none.
        "command": [PROGRAM],
        "args": list(said),
        "envFrom": [{"configMapRef": {"name": PLATFORM}}],
        "env": [
            {"name": "HOME", "value": "/tmp"},  # noqa: S108
            {"name": contract.RUNTIME_IMAGE_VARIABLE, "value": settings.image},
            *(_secret(*each) for each in SECRETS),
        ],
        "resources": {
            "requests": {"cpu": asked.cpu, "memory": asked.memory},
            "limits": {"cpu": asked.cpu_limit, "memory": asked.memory},
        },
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "capabilities": {"drop": ["ALL"]},
            "readOnlyRootFilesystem": True,
            "runAsNonRoot": True,
            "seccompProfile": {"type": "RuntimeDefault"},
        },
        "volumeMounts": mounts,
    }


def _secret(variable: str, secret: str, key: str, optional: bool) -> dict[str, Any]:
    source: dict[str, Any] = {"name": secret, "key": key}
    if optional:
        source["optional"] = True
    return {"name": variable, "valueFrom": {"secretKeyRef": source}}
