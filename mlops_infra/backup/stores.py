"""The stores of a running platform, opened with the rights of an administrator."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from mlops_infra import contract, toolchain
from mlops_infra.catalog import load_catalog
from mlops_infra.config import StackConfig
from mlops_infra.engine import Engine
from mlops_infra.errors import InputError
from mlops_infra.kube.tunnel import forwarded_port
from mlops_infra.lifecycle.services.credentials import ClusterSecrets
from mlops_infra.progress import Sink


@dataclass(frozen=True, slots=True)
class StoreAccess:
    """Where the managed stores are and how they are opened; None where one is not managed."""

    stack: str
    kubectl: tuple[str, ...]
    """Program and arguments that reach the stack's cluster."""
    sql_password: str | None = field(default=None, repr=False)
    """Password of the superuser."""
    sql_user: str = "postgres"
    object_service: str | None = None
    object_keys: tuple[str, str] | None = field(default=None, repr=False)
    kv_service: str | None = None
    kv_password: str | None = field(default=None, repr=False)
    skipped: tuple[str, ...] = ()
    """What is not backed up here, and why."""

    def execute(self, pod: str, container: str, *command: str) -> list[str]:
        """Words that run `command` in a container, standard input attached."""
        return [
            *self.kubectl,
            "-n",
            contract.STORES_NAMESPACE,
            "exec",
            "-i",
            pod,
            "-c",
            container,
            "--",
            *command,
        ]

    @contextmanager
    def forward(self, service: str) -> Iterator[int]:
        """A loopback port that leads to a store's Service, exposed or not.

        Raises:
            OperationFailed: kubectl could not forward.
        """
        port = load_catalog()[service].ports[0].number
        with forwarded_port(
            self.kubectl, contract.STORES_NAMESPACE, f"svc/{service}", port
        ) as local:
            yield local


def open_stores(stack: str, config: StackConfig, engine: Engine, sink: Sink) -> StoreAccess:
    """Collect what a backup or a restore needs; asks the cluster for three Secrets.

    Raises:
        InputError: the stack has no store of its own.
        MissingError: there is no kubectl.
        OperationFailed: the cluster cannot be reached.
    """
    record = engine.record
    kubectl = [str(toolchain.ensure(["kubectl"], sink)["kubectl"].path)]
    if record.kubeconfig:
        kubectl += ["--kubeconfig", record.kubeconfig]
    if record.context:
        kubectl += ["--context", record.context]
    secrets = ClusterSecrets(Path(record.kubeconfig) if record.kubeconfig else None, record.context)
    stores, skipped = config.stores, []
    found: dict[str, Any] = {}
    if stores.sql.state == "managed" and stores.sql.engine == "postgresql":
        admin = secrets.read(contract.STORES_NAMESPACE, contract.POSTGRESQL_ADMIN_SECRET)
        found |= {"sql_password": admin.get("password"), "sql_user": admin.get("username", "")}
    else:
        skipped.append(f"sql: {_why(stores.sql.state, stores.sql.engine)}")
    if stores.object.state == "managed":
        keys = secrets.read(contract.STORES_NAMESPACE, contract.OBJECT_STORE_PLATFORM_SECRET)
        found["object_service"] = stores.object.engine
        found["object_keys"] = (keys.get("accessKey", ""), keys.get("secretKey", ""))
    else:
        skipped.append(f"object: {_why(stores.object.state, stores.object.engine)}")
    if stores.kv.state == "managed":
        found["kv_service"] = stores.kv.engine
        found["kv_password"] = secrets.read(contract.STORES_NAMESPACE, contract.VALKEY_SECRET).get(
            "password"
        )
    else:
        skipped.append(f"kv: {_why(stores.kv.state, stores.kv.engine)}")
    if not found:
        raise InputError(
            f"stack '{stack}' has no managed store", hint="back up the stores where they run"
        )
    return StoreAccess(stack=stack, kubectl=tuple(kubectl), skipped=tuple(skipped), **found)


def _why(state: str, engine: str) -> str:
    if state == "managed":
        return f"{engine} keeps its own backups"
    return f"it is {state}: back it up where it runs"
