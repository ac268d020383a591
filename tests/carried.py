"""A bundle with one of everything, built from a real registry: what foreign programs read."""

from __future__ import annotations

import gzip
import hashlib
import io
import subprocess
import tarfile
import zipfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from threading import Thread
from typing import Any

from mlops_infra.progress import quiet
from offline_bundle import layout
from offline_bundle.build import build
from offline_bundle.discover import Additions, discover
from offline_bundle.locking import make_lock
from offline_bundle.model import LockedFile
from offline_bundle.push.targets import upstream_path
from offline_bundle.registry import Host, Settings
from offline_bundle.serve import Door, Server, opened
from tests import registries
from tests.registries import INDEX, Put, digest, encode, put_blob, put_index, put_manifest

EMPTY = {"mediaType": layout.EMPTY_TYPE, "digest": layout.EMPTY_DIGEST, "size": 2}
ARTIFACT = "application/vnd.example.model"
PLATFORMS = ("linux/amd64", "linux/arm64")
PLUGIN = ("demo", "1.2.3", "pulumi-resource-demo-v1.2.3-linux-amd64.tar.gz")


@dataclass(frozen=True)
class Carried:
    """The bundle, and what it was made from."""

    folder: Path
    origin: str
    """The registry that everything came from."""
    images: dict[str, Put]

    def served(self, url: str, put: Put) -> str:
        """The name of an image on a `Server`."""
        return put.reference.replace(self.origin, f"{bare(url)}/{upstream_path(self.origin)}", 1)


def bare(url: str) -> str:
    return url.partition("://")[2]


def say(*command: object) -> str:
    """Run a program to its end and return what it said; its errors are the test's."""
    done = subprocess.run([str(each) for each in command], capture_output=True)
    assert done.returncode == 0, (command, done.stderr.decode()[-2000:])
    return done.stdout.decode()


def layer(seed: int, size: int) -> tuple[bytes, str]:
    """A real layer: its compressed bytes, and the digest of what is in it."""
    held = io.BytesIO()
    with tarfile.open(fileobj=held, mode="w") as tar:
        content = registries.incompressible(size, seed)
        member = tarfile.TarInfo(f"file{seed}")
        member.size = len(content)
        tar.addfile(member, io.BytesIO(content))
    return gzip.compress(held.getvalue(), 1, mtime=0), digest(held.getvalue())


def put_image(
    host: str, path: str, tag: str | None, seeds: Sequence[int], architecture: str = "amd64"
) -> Put:
    layers = [layer(seed, 200_000 + seed) for seed in seeds]
    rootfs = {"type": "layers", "diff_ids": [each[1] for each in layers]}
    config = encode({"architecture": architecture, "os": "linux", "config": {}, "rootfs": rootfs})
    document = {
        "schemaVersion": 2,
        "mediaType": registries.MANIFEST,
        "config": _stored(host, path, registries.CONFIG, config),
        "layers": [_stored(host, path, registries.LAYER, each[0]) for each in layers],
    }
    return put_manifest(host, path, tag, document)


def put_artifact(host: str, path: str, tag: str | None, content: bytes, **more: Any) -> Put:
    put_blob(host, path, b"{}")
    document = {
        "schemaVersion": 2,
        "mediaType": registries.MANIFEST,
        "artifactType": ARTIFACT,
        "config": EMPTY,
        "layers": [_stored(host, path, ARTIFACT, content)],
    }
    return put_manifest(host, path, tag, document | more)


def _stored(host: str, path: str, kind: str, content: bytes) -> dict[str, Any]:
    return {"mediaType": kind, "digest": put_blob(host, path, content), "size": len(content)}


def sources(host: str) -> dict[str, Put]:
    """Single, multi-arch, digest-only, artifact and signed (both ways); all that there is."""
    children = {
        arch: put_image(host, "team/multi", None, [1, 10 + n], arch)
        for n, arch in enumerate(("amd64", "arm64"))
    }
    signed = put_image(host, "team/signed", "1", [1, 5])
    dashed = signed.digest.replace(":", "-")
    bill = put_artifact(host, "team/signed", None, b"a bill", subject=signed.descriptor())
    index = {"schemaVersion": 2, "mediaType": INDEX}
    listed = [bill.descriptor(artifactType=ARTIFACT)]
    put_manifest(host, "team/signed", dashed, {**index, "manifests": listed})
    return {
        "single": put_image(host, "team/single", "1", [1, 2]),
        "multi": put_index(host, "team/multi", "v2", children),
        "digest-only": put_image(host, "team/bare", None, [3]),
        "artifact": put_artifact(host, "team/artifact", "1", b"a model"),
        "signed": signed,
        "signature": put_image(host, "team/signed", f"{dashed}.sig", [6]),
        "referrer": bill,
    }


def wheel(folder: Path, name: str, version: str, requires: str | None = None) -> Path:
    info = f"{name}-{version}.dist-info"
    told = f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\nRequires-Python: >=3.8\n"
    told += f"Requires-Dist: {requires}\n" if requires else ""
    tags = "Wheel-Version: 1.0\nGenerator: x\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
    file = folder / f"{name}-{version}-py3-none-any.whl"
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr(f"{name}.py", f"VERSION = '{version}'\n")
        archive.writestr(f"{info}/METADATA", told)
        archive.writestr(f"{info}/WHEEL", tags)
        archive.writestr(f"{info}/RECORD", f"{name}.py,,\n{info}/METADATA,,\n{info}/WHEEL,,\n")
    return file


def chart(folder: Path) -> Path:
    (folder / "templates").mkdir(parents=True)
    (folder / "Chart.yaml").write_text("apiVersion: v2\nname: demo\nversion: 0.3.1+b2\n")
    body = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: demo}\ndata: {a: b}\n"
    (folder / "templates" / "all.yaml").write_text(body)
    return folder


def plugin(folder: Path) -> LockedFile:
    name, version, filename = PLUGIN
    file = folder / filename
    with tarfile.open(file, "w:gz") as tar:
        program = b"#!/bin/sh\n"
        member = tarfile.TarInfo(f"pulumi-resource-{name}")
        member.size, member.mode = len(program), 0o755
        tar.addfile(member, io.BytesIO(program))
    content = file.read_bytes()
    sha256 = hashlib.sha256(content).hexdigest()
    return LockedFile("plugin", name, version, sha256, len(content), filename, f"file:{file}")


@contextmanager
def carried(folder: Path) -> Iterator[Carried]:
    """Fill a registry, lock it with a chart, wheels and a plugin, build; then the registry ends."""
    with registries.registry(folder / "origin") as host:
        found = sources(host)
        add = Additions(
            images=[each.reference for name, each in found.items()
                    if name not in ("signature", "referrer")],
            charts=[chart(folder / "demo")],
            wheels=[wheel(folder, "demo_top", "1.0", "demo-base>=2"),
                    wheel(folder, "demo_base", "2.5")],
        )  # fmt: skip
        settings = Settings({host: Host(plain_http=True)})
        needs = discover(None, quiet, add=add)
        lock = make_lock(needs, settings, quiet, platforms=PLATFORMS).lock
        files = sorted((*lock.files, plugin(folder)), key=lambda f: (f.kind, f.name, f.version))
        build(replace(lock, files=tuple(files)), folder / "bundle", settings, quiet)
    yield Carried(folder / "bundle", host, found)


@contextmanager
def served(*folders: Path, **more: Any) -> Iterator[Server]:
    """A server of the bundle in `folders` on a free port, in this process."""
    door = Door(port=0, **{k: more.pop(k) for k in ("certificate", "key") if k in more})
    with Server(opened(folders, **more), door) as server:
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()
