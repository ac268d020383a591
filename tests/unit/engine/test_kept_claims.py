"""Claims that an operator has made are there again before it is."""

from __future__ import annotations

from typing import Any

import pytest

from mlops_infra import contract, places
from mlops_infra.engine import kept_claims
from mlops_infra.engine.prepare import asked
from mlops_infra.kube import ApiError
from mlops_infra.plan import Plan
from mlops_infra.progress import quiet

SPACE = "/api/v1/namespaces/mlops-stores"


class FakeCluster:
    """Holds one volume and whatever it was sent."""

    def __init__(self, volume: dict[str, Any]) -> None:
        self.volume = volume
        self.made: dict[str, dict[str, Any]] = {}

    def get(self, path: str, query: dict[str, str]) -> dict[str, Any]:
        assert path == "/api/v1/persistentvolumes"
        labels = self.volume["metadata"]["labels"]
        wanted = dict(each.split("=") for each in query["labelSelector"].split(","))
        return {"items": [self.volume] if wanted.items() <= labels.items() else []}

    def find(self, path: str) -> dict[str, Any] | None:
        return self.made.get(path)

    def send(self, method: str, path: str, *_: Any, body: Any, **_options: Any) -> None:
        place = f"{path}/{body['metadata']['name']}" if method == "POST" else path
        if place in self.made:
            raise ApiError(409, "AlreadyExists", "it is there", where=path)
        self.made[place] = body


@pytest.fixture(scope="module")
def plan() -> Plan:
    return asked("kubeflow", places.project() / "stacks" / "Pulumi.kubeflow.yaml").plan


def test_a_server_finds_its_claim_with_all_that_its_operator_knows_it_by(plan: Plan) -> None:
    cluster = FakeCluster(_kept(_claim()))
    kept_claims.make_again(cluster, plan, quiet)  # type: ignore[arg-type]
    kept_claims.make_again(cluster, plan, quiet)  # type: ignore[arg-type]
    assert set(cluster.made) == {SPACE, f"{SPACE}/persistentvolumeclaims/postgresql-2"}
    made = cluster.made[f"{SPACE}/persistentvolumeclaims/postgresql-2"]
    assert made["metadata"] == {
        "name": "postgresql-2",
        "labels": {"cnpg.io/cluster": "postgresql", "cnpg.io/instanceRole": "primary"},
        "annotations": {"cnpg.io/nodeSerial": "2"},
    }
    assert made["spec"] == {**_asked(), "volumeName": "pv-2"}
    assert cluster.made[SPACE]["metadata"]["labels"][contract.STACK_LABEL] == "kubeflow"


def test_a_volume_that_is_in_use_is_left_alone(plan: Plan) -> None:
    cluster = FakeCluster({**_kept(_claim()), "status": {"phase": "Bound"}})
    kept_claims.make_again(cluster, plan, quiet)  # type: ignore[arg-type]
    assert cluster.made == {}


def test_without_the_operator_no_claim_is_made() -> None:
    plan = asked("core", places.project() / "stacks" / "Pulumi.core.yaml").plan
    volume = _kept(_claim())
    volume["metadata"]["labels"][contract.STACK_LABEL] = "core"
    cluster = FakeCluster(volume)
    kept_claims.make_again(cluster, plan, quiet)  # type: ignore[arg-type]
    assert cluster.made == {}


def test_claims_of_kubernetes_own_controllers_are_not_noted() -> None:
    owner = {"apiVersion": "apps/v1", "kind": "StatefulSet", "name": "valkey"}
    claim = _claim()
    claim["metadata"]["ownerReferences"] = [owner]
    assert kept_claims.noted(claim) is None


def _asked() -> dict[str, Any]:
    return {
        "accessModes": ["ReadWriteOnce"],
        "resources": {"requests": {"storage": "10Gi"}},
        "storageClassName": "local-path",
        "volumeMode": "Filesystem",
    }


def _claim() -> dict[str, Any]:
    owner = {"apiVersion": "postgresql.cnpg.io/v1", "kind": "Cluster", "name": "postgresql"}
    return {
        "metadata": {
            "name": "postgresql-2",
            "labels": {"cnpg.io/cluster": "postgresql", "cnpg.io/instanceRole": "primary"},
            "annotations": {
                "cnpg.io/nodeSerial": "2",
                "pv.kubernetes.io/bind-completed": "yes",
                "volume.kubernetes.io/selected-node": "kubeflow",
            },
            "ownerReferences": [owner],
            "uid": "11",
        },
        "spec": {**_asked(), "volumeName": "pv-2"},
    }


def _kept(claim: dict[str, Any]) -> dict[str, Any]:
    labels = {contract.KEPT_LABEL: "true", contract.STACK_LABEL: "kubeflow"}
    notes = {contract.CLAIM_ANNOTATION: kept_claims.noted(claim)}
    return {
        "metadata": {"name": "pv-2", "labels": labels, "annotations": notes},
        "spec": {"claimRef": {"namespace": "mlops-stores", "name": "postgresql-2"}},
        "status": {"phase": "Available"},
    }
