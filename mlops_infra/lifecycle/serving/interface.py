"""What serving a model version means, whichever platform does it.

A version's server is never turned into another version's: the old one goes on answering until the
new one is ready, and going back is a matter of routes alone.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Protocol

from mlops_infra import contract
from mlops_infra.errors import InputError, OperationFailed
from mlops_infra.naming import fitted

LABELS = {contract.MANAGED_BY_LABEL: "mlops-infra", contract.SERVED_BY_LABEL: "promotion"}
_NAME_MAX = 40  # KServe appends `-predictor` and the namespace, and Services end at 63
_REQUESTS, _LIMITS = {"cpu": "100m", "memory": "512Mi"}, {"cpu": "1", "memory": "1Gi"}
_RESOURCES = {"requests": _REQUESTS, "limits": _LIMITS}


@dataclass(frozen=True, slots=True)
class Scaling:
    """How many Pods, and when there are more."""

    least: int = 1
    most: int = 1
    cpu_percent: int = 70
    """Of the requested CPU; more Pods are started above it."""

    def __post_init__(self) -> None:
        if not 1 <= self.least <= self.most:
            raise InputError(f"{self.least} to {self.most} Pods cannot be", hint="1 or more")


@dataclass(frozen=True, slots=True)
class Service:
    """A model version as it is to be served."""

    tenant: str
    model: str
    version: str
    storage: str
    """URI of its files."""
    scaling: Scaling = field(default_factory=Scaling)
    resources: Mapping[str, Mapping[str, str]] = field(default_factory=lambda: _RESOURCES)

    @property
    def namespace(self) -> str:
        """The tenant's namespace."""
        return contract.tenant_namespace(self.tenant)

    @property
    def name(self) -> str:
        """Name of the object: model and version, as a DNS label."""
        return server_name(self.model, self.version)


@dataclass(frozen=True, slots=True)
class Address:
    """Where a served version answers, inside of the cluster."""

    url: str
    """Base URL without `/v2`."""
    name: str
    """What the server calls the model."""


Alive = Callable[[], None]
"""Called while waiting; raises to stop."""


class CannotServe(OperationFailed):
    """A version's server does not start; the cluster itself works."""


class Serving(Protocol):
    """A way to serve models."""

    def deploy(self, service: Service) -> None:
        """Make or correct the object; returns at once."""

    def wait(self, service: Service, seconds: float, alive: Alive) -> Address:
        """Wait until it answers.

        Raises:
            CannotServe: it cannot, with the reason that its Pods give.
        """

    def scaling(self, tenant: str, name: str) -> Scaling | None:
        """How a server scales now; None where it is not there or does not say."""

    def delete(self, tenant: str, name: str) -> bool:
        """Take it away; whether it was there."""

    def deployed(self, tenant: str, model: str) -> list[str]:
        """Names of the objects of one model."""


def labels(service: Service) -> dict[str, str]:
    """What every object that serves a model carries."""
    return {
        **LABELS,
        contract.TENANT_LABEL: service.tenant,
        contract.MODEL_LABEL: label_of(service.model),
        contract.VERSION_LABEL: service.version,
    }


def server_name(model: str, version: str) -> str:
    """Name of the object that serves one version; different models never share one."""
    plain = re.sub(r"[^a-z0-9]+", "-", model.lower()).strip("-") or "model"
    if not plain[0].isalpha():
        plain = f"m-{plain}"
    if plain != model:  # a hash, so that `a_b` and `a-b` stay two
        plain = f"{plain[: _NAME_MAX - 9]}-{hashlib.sha256(model.encode()).hexdigest()[:8]}"
    return f"{fitted(plain, _NAME_MAX - len(version) - 2)}-v{version}"


def label_of(model: str) -> str:
    """The model's name as the value of a label."""
    return server_name(model, "0").removesuffix("-v0")
