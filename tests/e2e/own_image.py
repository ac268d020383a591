"""An image of the site's own, in a registry that is reached through a mirror."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import tarfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import yaml

from mlops_infra import images
from mlops_infra.progress import quiet
from tests import registries

REFERENCE = "registry.site.example/team/tool:1"


@contextmanager
def own_image(folder: Path) -> Iterator[Path]:
    """Serve `REFERENCE` on loopback; yields the settings by which its host is reached there.

    It does what `pause` does, and has a layer that no other image has: a node that pulls it has to
    fetch something.
    """
    pause = images.build("pause", quiet)
    manifest = json.loads(_blob(pause.layout, pause.digest))
    config = json.loads(_blob(pause.layout, manifest["config"]["digest"]))
    held = io.BytesIO()
    with tarfile.open(fileobj=held, mode="w") as tar:
        tar.addfile(tarfile.TarInfo("the-sites-own"))
    config["rootfs"]["diff_ids"].append("sha256:" + hashlib.sha256(held.getvalue()).hexdigest())
    config.pop("history", None)
    layers = [_blob(pause.layout, each["digest"]) for each in manifest["layers"]]
    layers.append(gzip.compress(held.getvalue(), mtime=0))
    with registries.registry(folder) as host:

        def put(content: bytes, kind: str) -> dict[str, object]:
            digest = registries.put_blob(host, "team/tool", content)
            return {"mediaType": kind, "digest": digest, "size": len(content)}

        kinds = [*(each["mediaType"] for each in manifest["layers"]), registries.LAYER]
        manifest["layers"] = [put(*each) for each in zip(layers, kinds, strict=True)]
        manifest["config"] = put(json.dumps(config).encode(), registries.CONFIG)
        registries.put_manifest(host, "team/tool", "1", manifest)
        settings = folder / "registries.yaml"
        mirror = {"hosts": {REFERENCE.partition("/")[0]: {"mirror": f"http://{host}"}}}
        settings.write_text(yaml.safe_dump(mirror))
        yield settings


def _blob(layout: Path, digest: str) -> bytes:
    return (layout / "blobs" / "sha256" / digest.removeprefix("sha256:")).read_bytes()
