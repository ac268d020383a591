"""A real registry on loopback, and images to put into it."""

from __future__ import annotations

import hashlib
import http.client
import json
import os
import random
import socket
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.tools import go_program

MANIFEST = "application/vnd.oci.image.manifest.v1+json"
INDEX = "application/vnd.oci.image.index.v1+json"
CONFIG = "application/vnd.oci.image.config.v1+json"
LAYER = "application/vnd.oci.image.layer.v1.tar+gzip"


@dataclass(frozen=True)
class Put:
    """A manifest as it lies in the registry."""

    reference: str
    digest: str
    content: bytes
    media_type: str

    def descriptor(self, **more: Any) -> dict[str, Any]:
        size = len(self.content)
        return {"mediaType": self.media_type, "digest": self.digest, "size": size, **more}


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@contextmanager
def registry(
    folder: Path, *, more: str = "", address: str = "127.0.0.1", port: int | None = None
) -> Iterator[str]:
    """The reference implementation, keeping what it gets in `folder`; yields `address:port`."""
    program = go_program("registry")
    if program is None:
        pytest.skip("the registry cannot be compiled here (no Go client, or no module proxy)")
    port = port or free_port()
    folder.mkdir(parents=True, exist_ok=True)
    config = folder / "config.yml"
    config.write_text(
        "version: 0.1\nlog: {level: warn, accesslog: {disabled: false}}\n"
        f"storage:\n  filesystem: {{rootdirectory: {folder / 'data'}}}\n"
        "  delete: {enabled: true}\n"
        f"http: {{addr: '{address}:{port}'}}\n{more}"
    )
    with (folder / "log").open("a") as log:
        process = subprocess.Popen(
            [program, "serve", config],
            stdout=log,
            stderr=log,
            env={**os.environ, "OTEL_TRACES_EXPORTER": "none", "OTEL_SDK_DISABLED": "true"},
        )
        try:
            _wait((address, port), process)
            yield f"{address}:{port}"
        finally:
            process.terminate()
            process.wait(20)


def _wait(address: tuple[str, int], process: subprocess.Popen[bytes]) -> None:
    until = time.monotonic() + 30
    while time.monotonic() < until:
        try:
            with socket.create_connection(address, 0.2):
                return
        except OSError:
            if process.poll() is not None:
                break
            time.sleep(0.05)
    raise AssertionError("the registry does not start")


def incompressible(size: int, seed: int) -> bytes:
    """Bytes that look like a gzip layer to everyone who measures."""
    return random.Random(seed).randbytes(size)  # noqa: S311  a layer, not a key


def digest(content: bytes) -> str:
    return "sha256:" + hashlib.sha256(content).hexdigest()


def encode(value: object) -> bytes:
    return json.dumps(value, sort_keys=True).encode()


def put_blob(host: str, path: str, content: bytes) -> str:
    connection = http.client.HTTPConnection(host, timeout=60)
    name = digest(content)
    connection.request("POST", f"/v2/{path}/blobs/uploads/")
    reply = connection.getresponse()
    reply.read()
    where = reply.headers["Location"].removeprefix(f"http://{host}")
    connection.request("PUT", f"{where}{'&' if '?' in where else '?'}digest={name}", content)
    reply = connection.getresponse()
    body = reply.read()
    connection.close()
    assert reply.status == 201, body
    return name


def put_manifest(host: str, path: str, target: str | None, document: dict[str, Any]) -> Put:
    content = encode(document)
    name = digest(content)
    connection = http.client.HTTPConnection(host, timeout=60)
    headers = {"Content-Type": document["mediaType"]}
    connection.request("PUT", f"/v2/{path}/manifests/{target or name}", content, headers)
    reply = connection.getresponse()
    body = reply.read()
    connection.close()
    assert reply.status == 201, body
    reference = f"{host}/{path}:{target}" if target else f"{host}/{path}@{name}"
    return Put(reference, name, content, document["mediaType"])


def put_image(
    host: str,
    path: str,
    tag: str | None,
    layers: Sequence[bytes],
    *,
    architecture: str = "amd64",
    labels: dict[str, str] | None = None,
    more: dict[str, Any] | None = None,
) -> Put:
    """An image for one platform."""
    config = encode(
        {
            "architecture": architecture,
            "os": "linux",
            "config": {"Labels": labels or {}},
            "rootfs": {"type": "layers", "diff_ids": [digest(each) for each in layers]},
        }
    )
    described = [
        {"mediaType": LAYER, "digest": put_blob(host, path, each), "size": len(each)}
        for each in layers
    ]
    stored = {"mediaType": CONFIG, "digest": put_blob(host, path, config), "size": len(config)}
    manifest = {"schemaVersion": 2, "mediaType": MANIFEST, "config": stored, "layers": described}
    return put_manifest(host, path, tag, manifest | (more or {}))


def put_index(host: str, path: str, tag: str, children: dict[str, Put]) -> Put:
    """An index over images by architecture."""
    manifests = [
        child.descriptor(platform={"os": "linux", "architecture": architecture})
        for architecture, child in children.items()
    ]
    index = {"schemaVersion": 2, "mediaType": INDEX, "manifests": manifests}
    return put_manifest(host, path, tag, index)
