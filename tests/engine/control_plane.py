"""A real control plane for tests: plain processes on free loopback ports, a simulated node."""

from __future__ import annotations

import functools
import json
import secrets
import socket
import ssl
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from mlops_infra import toolchain
from tests.engine.fake_kubelet import FakeKubelet

BINARIES = ("etcd", "kube-apiserver", "kube-controller-manager")
_READY_SECONDS = 300
"""A machine that is busy with other tests takes minutes to start what takes seconds alone."""
_PATIENCE = 60


@functools.cache
def unverified() -> ssl.SSLContext:
    """For the server on loopback that has just signed its own certificate; made once, as its
    making costs more than a request."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


def find_binary(name: str) -> Path | None:
    """The binary that the toolchain would use, without fetching or building one."""
    found = toolchain.locate(name)
    return found.path if found else None


def control_plane(folder: Path) -> Iterator[ControlPlane]:
    """For fixtures: a running control plane; skips by name what this machine has no binary for."""
    missing = [name for name in BINARIES if find_binary(name) is None]
    if missing:
        pytest.skip(f"no {', '.join(missing)} on this machine: mlops-infra toolchain install")
    plane = ControlPlane(folder)
    try:
        plane.start()
        yield plane
    finally:
        plane.stop()


class ControlPlane:
    """etcd, API server and controller manager under one folder, with a fake kubelet."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.token = secrets.token_hex(16)
        self.port = free_port()
        self.url = f"https://127.0.0.1:{self.port}"
        self.kubeconfig = folder / "kubeconfig"
        self._etcd = free_port()
        self._children: dict[str, subprocess.Popen[bytes]] = {}
        self._kubelet: FakeKubelet | None = None

    def start(self) -> None:
        self._write_files()
        self._start_etcd()
        self._start_api_server()
        self.until(lambda: self.request("GET", "/readyz", raw=True) == "ok")
        name = "kube-controller-manager"
        self._spawn(
            name,
            f"--kubeconfig={self.kubeconfig}",
            f"--authentication-kubeconfig={self.kubeconfig}",
            f"--authorization-kubeconfig={self.kubeconfig}",
            f"--service-account-private-key-file={self.folder / 'sa.key'}",
            "--leader-elect=false",
            "--controllers=*,-node-lifecycle-controller",
            f"--secure-port={free_port()}",
            f"--cert-dir={self.folder / name}",
        )
        self._kubelet = FakeKubelet(self)
        self._kubelet.start()
        path = "/api/v1/namespaces/default/serviceaccounts/default"
        self.until(lambda: self.request("GET", path) is not None)

    def stop(self) -> None:
        if self._kubelet is not None:
            self._kubelet.stop()
        for child in reversed(self._children.values()):
            child.kill()
        for child in self._children.values():
            child.wait()

    def restart_api_server(self, away: float) -> None:
        child = self._children.pop("kube-apiserver")
        child.kill()
        child.wait()
        time.sleep(away)
        self._start_api_server()

    def request(self, method: str, path: str, body: Any = None, *, raw: bool = False) -> Any:
        """One request; None where the object is not there."""
        content = "application/merge-patch+json" if method == "PATCH" else "application/json"
        request = urllib.request.Request(  # noqa: S310
            self.url + path,
            method=method,
            data=None if body is None else json.dumps(body).encode(),
            headers={"Authorization": f"Bearer {self.token}", "Content-Type": content},
        )
        try:
            with urllib.request.urlopen(request, context=unverified(), timeout=_PATIENCE) as answer:  # noqa: S310
                text = answer.read().decode()
        except urllib.error.HTTPError as error:
            error.close()
            if error.code == 404:
                return None
            raise
        return text if raw else json.loads(text)

    def _write_files(self) -> None:
        (self.folder / "tokens.csv").write_text(f"{self.token},admin,admin,system:masters\n")
        subprocess.run(
            ["openssl", "genrsa", "-out", str(self.folder / "sa.key"), "2048"],
            check=True,
            capture_output=True,
        )
        cluster = {"server": self.url, "insecure-skip-tls-verify": True}
        document = {
            "apiVersion": "v1",
            "kind": "Config",
            "current-context": "test",
            "clusters": [{"name": "test", "cluster": cluster}],
            "users": [{"name": "admin", "user": {"token": self.token}}],
            "contexts": [{"name": "test", "context": {"cluster": "test", "user": "admin"}}],
        }
        self.kubeconfig.write_text(json.dumps(document))

    def _start_etcd(self) -> None:
        peer = f"http://127.0.0.1:{free_port()}"
        client = f"http://127.0.0.1:{self._etcd}"
        self._spawn(
            "etcd",
            f"--data-dir={self.folder / 'etcd'}",
            f"--listen-client-urls={client}",
            f"--advertise-client-urls={client}",
            f"--listen-peer-urls={peer}",
            f"--initial-advertise-peer-urls={peer}",
            f"--initial-cluster=default={peer}",
            "--unsafe-no-fsync",
        )

    def _start_api_server(self) -> None:
        self._spawn(
            "kube-apiserver",
            f"--etcd-servers=http://127.0.0.1:{self._etcd}",
            f"--cert-dir={self.folder / 'certificates'}",
            f"--secure-port={self.port}",
            "--bind-address=127.0.0.1",
            f"--token-auth-file={self.folder / 'tokens.csv'}",
            f"--service-account-key-file={self.folder / 'sa.key'}",
            f"--service-account-signing-key-file={self.folder / 'sa.key'}",
            "--service-account-issuer=https://kubernetes.default.svc",
            "--service-cluster-ip-range=10.96.0.0/16",
            "--authorization-mode=RBAC",
            "--endpoint-reconciler-type=none",
        )

    def _spawn(self, name: str, *arguments: str) -> None:
        binary = find_binary(name)
        assert binary is not None
        log = (self.folder / f"{name}.log").open("ab")
        with log:
            self._children[name] = subprocess.Popen(
                [str(binary), *arguments],
                stdout=log,
                stderr=log,
                stdin=subprocess.DEVNULL,
                cwd=self.folder,
            )

    def until(self, done: Any) -> None:
        ends = time.monotonic() + _READY_SECONDS
        while time.monotonic() < ends:
            for name, child in self._children.items():
                if child.poll() is not None:
                    tail = (self.folder / f"{name}.log").read_text(errors="replace")[-2000:]
                    raise RuntimeError(f"{name} ended: {tail}")
            try:
                if done():
                    return
            except (OSError, urllib.error.URLError):
                pass
            time.sleep(0.1)
        raise RuntimeError("the control plane did not become ready")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
