"""Where a running platform is, read from the outputs that every profile promises."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from mlops_infra.errors import InputError, OperationFailed


@dataclass(frozen=True, slots=True)
class Platform:
    """The endpoints that the lifecycle works with."""

    stack: str
    tracking_uri: str
    """Base URL of MLflow."""
    registry_uri: str
    """Base URL of the model registry; MLflow again, unless a site runs two."""
    artifact_root: str | None
    """Where models end up, for example `s3://mlflow/artifacts`."""
    lineage_endpoint: str | None
    """`redis://host:port` of the key-value store; None where it is removed."""
    object_endpoint: str | None
    """URL of the S3 store as seen from here; None where it is not exposed."""
    serving_endpoint: str | None = None
    """URL of the model gateway; None where it is removed."""


def from_outputs(stack: str, outputs: Mapping[str, object]) -> Platform:
    """Pick the endpoints out of the stack's outputs.

    Raises:
        OperationFailed: there are no outputs: the stack is not up.
        InputError: the stack has no tracking server.
    """
    if not outputs:
        raise OperationFailed(
            f"stack '{stack}' has no outputs: it is not deployed", hint=f"mlops-infra up -s {stack}"
        )
    tracking = _text(outputs, "tracking_uri")
    if tracking is None:
        raise InputError(
            f"stack '{stack}' has no tracking server, nothing to verify",
            where="output tracking_uri is null",
            hint="set components.mlflow.state to managed or external",
        )
    return Platform(
        stack=stack,
        tracking_uri=tracking,
        registry_uri=_text(outputs, "registry_uri") or tracking,
        artifact_root=_text(outputs, "artifact_root"),
        lineage_endpoint=_with_scheme(_text(outputs, "lineage_endpoint")),
        object_endpoint=_text(outputs, "object_endpoint"),
        serving_endpoint=_text(outputs, "serving_endpoint"),
    )


def _text(outputs: Mapping[str, object], key: str) -> str | None:
    value = outputs.get(key)
    return value if isinstance(value, str) and value else None


def _with_scheme(endpoint: str | None) -> str | None:
    return endpoint if endpoint is None or "://" in endpoint else f"redis://{endpoint}"
