"""Puts triggers, drift, batch and replay jobs together from what their Pod's environment tells.

Beside the variables of `services.environment` and libpq's own PG… ones:

| variable | meaning |
|---|---|
| `MLOPS_INFRA_MODELS` | file with the declared models, made by the plan |
| `MLOPS_INFRA_PROMETHEUS` | base URL of Prometheus |
| `TRIGGER_TOKEN` | what callers of the controller must know |
"""

from __future__ import annotations

import os
import socket
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mlops_infra import contract
from mlops_infra.errors import InputError
from mlops_infra.lifecycle.gateway.client import GatewayClient
from mlops_infra.lifecycle.lineage.index import Lineage
from mlops_infra.lifecycle.pods.champions import MlflowChampions
from mlops_infra.lifecycle.services import database
from mlops_infra.lifecycle.services.environment import Environment
from mlops_infra.lifecycle.services.object_store import S3Store

if TYPE_CHECKING:
    from psycopg import Connection

    from mlops_infra.lifecycle.triggers.controller import Controller

Connect = Callable[[], AbstractContextManager["Connection[Any]"]]
connect: Connect = partial(database.connect, "")
"""One transaction on the database that the PG… variables name."""
autocommit: Connect = partial(database.connect, "", autocommit=True)
"""A session on which each statement is its own transaction."""


def models(path: Path | None) -> tuple[str, str]:
    """The document with the declared models, and where it stands.

    Raises:
        InputError: nobody names it, or it cannot be read.
    """
    named = path or Path(os.environ.get(contract.MODELS_VARIABLE, ""))
    try:
        return named.read_text(encoding="utf-8"), str(named)
    except OSError as error:
        raise InputError(
            f"the declared models cannot be read: {error.strerror}",
            where=str(named),
            hint=f"set the file with --models or {contract.MODELS_VARIABLE}",
        ) from error


def champions(around: Environment) -> MlflowChampions:
    """The registry that the environment names."""
    uri = around.need_tracking()
    return MlflowChampions(uri, uri, around.tracking_login)


def gateway() -> GatewayClient:
    """The gateway as the tenant of this Pod sees it.

    Raises:
        InputError: the environment lacks its address, the tenant or the token.
    """
    names = (contract.GATEWAY_VARIABLE, contract.TENANT_VARIABLE, contract.GATEWAY_TOKEN_VARIABLE)
    found = [os.environ.get(name, "") for name in names]
    if not all(found):
        missing = ", ".join(name for name, value in zip(names, found, strict=True) if not value)
        raise InputError("this is not a Pod of a tenant with a model gateway", where=missing)
    return GatewayClient(*found)


def bucket(around: Environment, name: str) -> ListedBucket:
    """A bucket of the object store that the environment names.

    Raises:
        InputError: it names none.
    """
    if around.object_endpoint is None or around.objects is None:
        raise InputError("no object store is configured", where="AWS_ENDPOINT_URL_S3, AWS_…")
    return ListedBucket(around.object_endpoint, name, around.objects)


def lineage(around: Environment) -> Lineage | None:
    """The lineage index that the environment names; None where it names none."""
    if around.lineage_endpoint is None:
        return None
    from mlops_infra.lifecycle.services.valkey import ValkeyStore

    return Lineage(ValkeyStore(around.lineage_endpoint, around.lineage_password))


class ListedBucket(S3Store):
    """A bucket that can be listed too; a `batch.sources.Bucket`."""

    def names(self, prefix: str) -> list[str]:
        """Keys that begin with `prefix`."""
        with self._translate_errors("list the bucket"):
            pages = self._client.get_paginator("list_objects_v2")
            found = pages.paginate(Bucket=self._bucket, Prefix=prefix)
            return [item["Key"] for page in found for item in page.get("Contents", [])]


def controller(text: str, where: str) -> Controller:
    """The trigger controller of this Pod.

    Raises:
        InputError: the declared models are wrong, or the environment lacks something.
    """
    from mlops_infra.lifecycle.pipeline.submission.tenancy import Tenancy
    from mlops_infra.lifecycle.triggers import kfp_trainings
    from mlops_infra.lifecycle.triggers.controller import Controller
    from mlops_infra.lifecycle.triggers.declared import read
    from mlops_infra.lifecycle.triggers.ledger import Ledger
    from mlops_infra.lifecycle.triggers.sensors import PlatformSensors
    from mlops_infra.lifecycle.triggers.workflows import KubernetesWorkflows, build

    around = Environment.here()
    if around.runtime_image is None:
        raise InputError(
            "no image for pipelines is configured", where=contract.RUNTIME_IMAGE_VARIABLE
        )
    store = None
    if around.object_endpoint is not None and around.objects is not None:
        store = (around.object_endpoint, around.objects)
    models, refused = read(text, where)
    return Controller(
        models=models,
        refused=refused,
        ledger=Ledger(connect, socket.gethostname()),
        workflows=kfp_trainings.EitherEngine(
            KubernetesWorkflows(),
            kfp_trainings.KfpTrainings(
                lambda tenant: Tenancy(replace(around, tenant=tenant)),
                kfp_trainings.locked(connect),
            ),
            frozenset(model.namespace for model in models if model.engine == "kfp"),
        ),
        build=kfp_trainings.build(build(around.runtime_image)),
        sensors=PlatformSensors(
            connect,
            objects=store,
            metric=champions(around).reading if around.tracking_uri else None,
            prometheus=os.environ.get(contract.PROMETHEUS_VARIABLE) or None,
        ),
    )
