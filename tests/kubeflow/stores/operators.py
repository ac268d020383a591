"""Operators as plain processes beside a control plane, with the rights of their charts alone."""

from __future__ import annotations

import json
import subprocess
import time
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.charts.rendering import Manifest
from tests.charts.test_api_server import apply, restricted_namespace
from tests.engine.control_plane import ControlPlane, free_port, unverified

PATIENCE = 120


def install(plane: ControlPlane, namespace: str, manifests: list[Manifest]) -> None:
    """Apply a chart's objects in their order, as they are."""
    restricted_namespace(plane, namespace)
    for manifest in manifests:
        refused, _ = apply(plane, manifest, dry=False)
        assert refused is None, f"{manifest['kind']}/{manifest['metadata']['name']}: {refused}"


@contextmanager
def started(
    plane: ControlPlane,
    folder: Path,
    account: tuple[str, str],
    command: list[str],
    variables: Mapping[str, str],
) -> Iterator[Callable[[], str]]:
    """Run `command` as the ServiceAccount (namespace, name) `account`; gives what it has logged."""
    kubeconfig = folder / "operator.kubeconfig"
    kubeconfig.write_text(json.dumps(_as_account(plane, *account)), "utf-8")
    log = folder / "operator.log"
    with log.open("wb") as file:
        process = subprocess.Popen(
            command,
            cwd=folder,
            env={"KUBECONFIG": str(kubeconfig), "HOME": str(folder), **variables},
            stdout=file,
            stderr=file,
            stdin=subprocess.DEVNULL,
        )
    try:
        yield lambda: log.read_text("utf-8", "replace")
    finally:
        process.kill()
        process.wait()


def _as_account(plane: ControlPlane, namespace: str, name: str) -> dict[str, Any]:
    path = f"/api/v1/namespaces/{namespace}/serviceaccounts/{name}/token"
    body = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": {}}
    token = plane.request("POST", path, body)["status"]["token"]
    document: dict[str, Any] = json.loads(plane.kubeconfig.read_text("utf-8"))
    document["users"] = [{"name": "admin", "user": {"token": token}}]
    return document


def answers(url: str) -> bool:
    """Whether a health check says yes."""
    try:
        with urllib.request.urlopen(url, context=unverified(), timeout=5) as answer:  # noqa: S310
            return bool(answer.status == 200)
    except OSError:
        return False


def wait(what: str, condition: Callable[[], Any], said: Callable[[], str]) -> None:
    """Wait for `condition`; what the operator has logged last is in the report of a failure."""
    ends = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < ends, f"waited for {what}\n{said()[-4000:]}"
        time.sleep(0.5)


__all__ = ["answers", "free_port", "install", "started", "wait"]
