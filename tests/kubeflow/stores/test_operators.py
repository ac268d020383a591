"""The operators start with the rights that their charts give them, and do their part."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from mlops_infra import toolchain
from mlops_infra.progress import quiet
from tests.charts.rendering import planned_render, render
from tests.engine.control_plane import ControlPlane, control_plane
from tests.kubeflow.stores import certificate, operators

STORES = "mlops-stores"


@pytest.fixture(scope="module")
def plane(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ControlPlane]:
    yield from control_plane(tmp_path_factory.mktemp("control-plane"))


def test_the_operator_of_postgresql_begins_a_cluster(plane: ControlPlane, tmp_path: Path) -> None:
    manifests = _without_webhooks(planned_render("kubeflow", "cloudnative-pg")[1])
    custom = [each for each in manifests if each["apiVersion"].startswith("postgresql.cnpg.io")]
    for each in custom:
        if each["kind"] == "Cluster":
            # rendered for tests with a tag that tells no version, which the operator asks for
            each["spec"]["imageName"] = "mlops-infra.local/postgresql:17.0"
    operators.install(plane, "default", render("crds", {"groups": ["postgresql.cnpg.io"]}))
    operators.install(plane, STORES, [each for each in manifests if each not in custom])
    _secrets(plane, "postgresql-admin", "mlflow-db", username="postgres", password="generated")
    site = certificate.make(tmp_path, "localhost")
    shutil.copy(site.certificate, tmp_path / "apiserver.crt")
    shutil.copy(site.key, tmp_path / "apiserver.key")
    binary = toolchain.ensure(["cloudnative-pg"], quiet)["cloudnative-pg"].path
    (tmp_path / "operator").mkdir()
    (tmp_path / "operator" / "manager_amd64").symlink_to(binary)
    port = operators.free_port()
    command = [str(binary), "controller", f"--webhook-port={port}"]
    variables = {
        "OPERATOR_NAMESPACE": STORES,
        "WATCH_NAMESPACE": STORES,
        "OPERATOR_IMAGE_NAME": "example.com/operator:1",
        "POSTGRES_IMAGE_NAME": "example.com/postgresql:17.0",
        "WEBHOOK_CERT_DIR": str(tmp_path),
    }
    command += [f"--metrics-bind-address=127.0.0.1:{operators.free_port()}"]
    account = (STORES, "cloudnative-pg")
    with operators.started(plane, tmp_path, account, command, variables) as said:
        health = f"https://127.0.0.1:{port}/readyz"
        operators.wait("the operator", lambda: operators.answers(health), said)
        operators.install(plane, STORES, custom)
        jobs = f"/apis/batch/v1/namespaces/{STORES}/jobs"
        operators.wait("the first server's job", lambda: plane.request("GET", jobs)["items"], said)
        (job,) = plane.request("GET", jobs)["items"]
        pod = job["spec"]["template"]["spec"]
        assert pod["securityContext"]["runAsUser"] == 999
        assert pod["containers"][0]["image"].startswith("mlops-infra.local/postgresql:")
        service = f"/api/v1/namespaces/{STORES}/services/postgresql"
        operators.wait("the Service", lambda: plane.request("GET", service), said)
        assert "forbidden" not in said()


def _without_webhooks(manifests: list[Any]) -> list[Any]:
    """No Pod of this control plane can be called."""
    return [each for each in manifests if not each["kind"].endswith("WebhookConfiguration")]


def _secrets(plane: ControlPlane, *names: str, **values: str) -> None:
    for name in names:
        body = {"apiVersion": "v1", "kind": "Secret", "stringData": values}
        body["metadata"] = {"name": name}
        plane.request("POST", f"/api/v1/namespaces/{STORES}/secrets", body)
