"""Starts trainings on Kubeflow Pipelines, and tells how they end.

Its runs have ids of the server's and names that need not be unique. So a training is looked for by
its name before it is started, under a lock of the database: two controllers start one run.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from typing import TYPE_CHECKING, Any

from mlops_infra import contract
from mlops_infra.errors import OperationFailed
from mlops_infra.lifecycle.pipeline.definition.arguments import complete
from mlops_infra.lifecycle.pipeline.definition.standard import standard
from mlops_infra.lifecycle.pipeline.submission import kfp_run
from mlops_infra.lifecycle.pipeline.submission.kfp_api import PipelinesApi
from mlops_infra.lifecycle.pipeline.submission.kfp_client import api_of
from mlops_infra.lifecycle.pipeline.submission.tenancy import Tenancy
from mlops_infra.lifecycle.triggers.declared import DeclaredModel
from mlops_infra.lifecycle.triggers.ledger import Claim, Connect
from mlops_infra.lifecycle.triggers.workflows import Build, Workflows, marked

if TYPE_CHECKING:
    from psycopg import Connection

KIND = "KubeflowRun"
"""Of the documents that tell a run to `KfpTrainings`; Kubernetes never sees them."""
Alone = Callable[[str], AbstractContextManager[bool]]
"""Whether nobody else works on this name while the block runs."""


def build(argo: Build) -> Build:
    """Documents of trainings: those of tenants with engine `kfp`, and by `argo` all others."""

    def make(model: DeclaredModel, claim: Claim) -> dict[str, Any]:
        if model.engine != "kfp":
            return argo(model, claim)
        pipeline = standard(model.pipeline)
        values = complete({**model.parameters, "model": model.name}, pipeline)
        spec = {"tenant": model.tenant, "pipeline": model.pipeline, "values": values}
        return marked({"kind": KIND, "spec": spec}, model, claim)

    return make


def locked(connect: Connect) -> Alone:
    """By a lock of the lifecycle's database, which ends with the connection."""

    @contextmanager
    def alone(name: str) -> Iterator[bool]:
        connection: Connection[Any]
        with connect() as connection:
            row = connection.execute(
                "SELECT pg_try_advisory_xact_lock(hashtextextended(%s, 0))", (f"kfp/{name}",)
            ).fetchone()
            yield bool(row and row[0])

    return alone


class KfpTrainings:
    """Trainings of tenants as runs; a `workflows.Workflows`."""

    def __init__(self, tenancy: Callable[[str], Tenancy], alone: Alone) -> None:
        """`tenancy` gives the surroundings of a tenant by its name."""
        self._tenancy = tenancy
        self._alone = alone

    def create(self, namespace: str, manifest: Mapping[str, Any]) -> bool:
        """Start it; False where one of that name exists; InputError where it is refused."""
        spec, name = manifest["spec"], str(manifest["metadata"]["name"])
        tenancy, api = self._of(str(spec["tenant"]))
        with self._alone(f"{namespace}/{name}") as mine:
            if not mine:
                raise OperationFailed(f"another controller is starting {name}", where=namespace)
            if api.runs(name):
                return False
            kfp_run.submit(standard(spec["pipeline"]), spec["values"], tenancy, api, name=name)
        return True

    def status(self, namespace: str, name: str) -> tuple[str, str] | None:
        """Phase in the words of Argo, and message; None where there is no such run."""
        _, api = self._of(contract.tenant_of(namespace))
        found = api.runs(name)
        if not found:
            return None
        end = kfp_run.told_by(found[-1], frozenset(), namespace)
        return end.phase, end.message

    def _of(self, tenant: str) -> tuple[Tenancy, PipelinesApi]:
        tenancy = self._tenancy(tenant)
        return tenancy, api_of(tenancy)


class EitherEngine:
    """Trainings on the engine of their document; a `workflows.Workflows`."""

    def __init__(self, argo: Workflows, kfp: Workflows, spaces: frozenset[str]) -> None:
        """Runs are looked for on `kfp` in `spaces`, the namespaces of tenants that use it."""
        self._argo = argo
        self._kfp = kfp
        self._spaces = spaces

    def create(self, namespace: str, manifest: Mapping[str, Any]) -> bool:
        """Start it; False where one of that name exists; InputError where it is refused."""
        engine = self._kfp if manifest.get("kind") == KIND else self._argo
        return engine.create(namespace, manifest)

    def status(self, namespace: str, name: str) -> tuple[str, str] | None:
        """Phase and message; a training that began before its tenant changed the engine goes on."""
        found = self._argo.status(namespace, name)
        if found is None and namespace in self._spaces:
            return self._kfp.status(namespace, name)
        return found
