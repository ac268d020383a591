"""Passwords of the platform's services, read from the cluster's Secrets and never shown."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from mlops_infra import contract
from mlops_infra.errors import InputError, OperationFailed
from mlops_infra.kube import Cluster

SECONDS = 15.0
"""Longest silence of the API server."""


@dataclass(frozen=True, slots=True)
class Login:
    """A name and a password; neither shows in a repr."""

    name: str = field(repr=False)
    password: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Credentials:
    """What the services ask for; None where a service asks for nothing."""

    tracking: Login | None = None
    lineage_password: str | None = field(default=None, repr=False)
    objects: Login | None = None


class Secrets(Protocol):
    """Where Secrets are read from."""

    def read(self, namespace: str, name: str) -> Mapping[str, str]:
        """The keys of one Secret, decoded; empty where there is no such Secret."""


def credentials(secrets: Secrets) -> Credentials:
    """Collect what the charts of this kit put into their Secrets."""
    tracking = secrets.read("mlflow", contract.MLFLOW_SECRET)
    objects = secrets.read("mlflow", contract.MLFLOW_OBJECTS_SECRET)
    return Credentials(
        tracking=_login(tracking, "username", "password"),
        lineage_password=secrets.read(contract.STORES_NAMESPACE, contract.VALKEY_SECRET).get(
            "password"
        ),
        objects=_login(objects, "accessKey", "secretKey"),
    )


def _login(keys: Mapping[str, str], name: str, password: str) -> Login | None:
    if name in keys and password in keys:
        return Login(keys[name], keys[password])
    return None


class ClusterSecrets:
    """Reads Secrets through the API server that a kubeconfig names."""

    def __init__(self, kubeconfig: Path | None, context: str | None = None) -> None:
        self._kubeconfig = kubeconfig
        self._context = context
        self._cluster: Cluster | None = None

    def read(self, namespace: str, name: str) -> Mapping[str, str]:
        """The keys of one Secret, decoded; empty where there is no such Secret.

        Raises:
            OperationFailed: the cluster cannot be reached or refuses.
        """
        try:
            if self._cluster is None:
                self._cluster = Cluster.open(self._kubeconfig, self._context, seconds=SECONDS)
            found = self._cluster.find(f"/api/v1/namespaces/{namespace}/secrets/{name}")
        except (InputError, OperationFailed) as error:
            raise OperationFailed(
                f"cannot read Secret {namespace}/{name}: {error.what}",
                where=f"cluster of {self._kubeconfig or 'the default kubeconfig'}",
                hint="check that the cluster runs: mlops-infra cluster status",
            ) from error
        data = (found or {}).get("data") or {}
        return {key: base64.b64decode(value).decode() for key, value in data.items()}
