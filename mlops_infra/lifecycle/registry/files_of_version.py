"""Where the files of a registered version lie, and whether MLflow itself keeps them.

Whoever registers a version writes down where its files are, and MLflow's client reads them there
with the keys of the machine that it runs on: a promotion would copy whatever an administrator may
read into a tenant's bucket.
"""

from __future__ import annotations

import re
from typing import Protocol
from urllib.parse import unquote

from mlops_infra.errors import InputError

_HOPS = 5
"""A version may be a copy of another one, which is the model of a run."""
_PROXIED = re.compile("mlflow-artifacts:/(?!/)")
"""What the server itself reads and writes; with two slashes a server of somebody's choice."""
_DEFAULT = "0"
"""The experiment that the server makes for itself, in its own folder of files; nobody moves it."""


class Client(Protocol):
    """MLflow's client, as much of it as is asked."""

    def get_experiment(self, experiment_id: str) -> Located:
        """One experiment, also a deleted one."""

    def get_logged_model(self, model_id: str) -> Located:
        """A model of a run."""

    def get_model_version_download_uri(self, name: str, version: str) -> str:
        """Where the files of a version are, as told at its registration."""

    def get_run(self, run_id: str) -> Run:
        """One run."""


class Located(Protocol):
    """Something with files."""

    @property
    def artifact_location(self) -> str:
        """URI of its folder."""


class Run(Protocol):
    """A run of an experiment."""

    @property
    def info(self) -> RunInfo:
        """What is known of it."""


class RunInfo(Protocol):
    """What is known of a run."""

    @property
    def artifact_uri(self) -> str:
        """URI of its folder."""


def refuse_foreign(client: Client, name: str, version: str) -> None:
    """Stop where the files of a version are not where the server keeps all files.

    Args:
        client: of MLflow.
        name: of the registered model.
        version: its number.

    Raises:
        InputError: they are elsewhere.
    """
    place = _place(client, f"models:/{name}/{version}")
    out = ".." in unquote(place).split("/")
    if out or not (_PROXIED.match(place) or place.startswith(_root(client))):
        raise InputError(
            f"the files of {name}/{version} are not kept by MLflow: {place}",
            where=f"{name}/{version}",
            hint="log the model with its run and register that: mlflow.MODULE.log_model(…)",
        )


def _root(client: Client) -> str:
    """The server's own folder, where clients reach the store themselves."""
    return client.get_experiment(_DEFAULT).artifact_location.rstrip("/").rpartition("/")[0] + "/"


def _place(client: Client, uri: str) -> str:
    """The folder that a URI of MLflow leads to in the end."""
    for _ in range(_HOPS):
        scheme, _, rest = uri.partition(":")
        parts = rest.strip("/").split("/")
        if scheme == "runs":
            uri = "/".join([client.get_run(parts[0]).info.artifact_uri.rstrip("/"), *parts[1:]])
        elif scheme == "models" and len(parts) == 1 and parts[0].startswith("m-"):
            uri = client.get_logged_model(parts[0]).artifact_location
        elif scheme == "models" and len(parts) > 1:
            uri = client.get_model_version_download_uri(parts[0], parts[1])
        else:
            break
    return uri
