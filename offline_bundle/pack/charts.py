"""Helm charts as OCI artifacts, with the media types that `helm push` writes.

Helm's OCI form (HIP-6, helm.sh/docs/topics/registries): the config is Chart.yaml as JSON, the one
layer the packaged chart; the tag is the version with `+` written as `_`.
"""

from __future__ import annotations

import hashlib
import io
import json
import tarfile
from pathlib import Path
from typing import Any

import yaml

from mlops_infra import files
from mlops_infra.errors import InputError, OperationFailed
from offline_bundle import layout
from offline_bundle.model import Descriptor, LockedFile
from offline_bundle.pack.tarball import tar_gz

CONFIG = "application/vnd.cncf.helm.config.v1+json"
CONTENT = "application/vnd.cncf.helm.chart.content.v1.tar+gzip"
MANIFEST = "application/vnd.oci.image.manifest.v1+json"

_TITLE = "org.opencontainers.image.title"
_VERSION = "org.opencontainers.image.version"
_DESCRIPTION = "org.opencontainers.image.description"
_UNWANTED = frozenset({".git", ".DS_Store", "__pycache__"})


def archive(folder: Path) -> bytes:
    """The chart in `folder` as `helm package` lays it out; the same files give the same bytes.

    What is behind a link becomes a file of the chart, as Helm does it: a bundle holds no links.

    Raises:
        InputError: there is no chart.
    """
    head = folder / "Chart.yaml"
    if not head.is_file():
        raise InputError("no Helm chart found", where=str(folder), hint="Chart.yaml is missing")
    name = str(_chart(head.read_bytes(), str(head))["name"])
    held = sorted(
        file for file in files.below(folder) if not _UNWANTED & set(file.relative_to(folder).parts)
    )
    ordered = [head, *(file for file in held if file != head)]  # helm reads Chart.yaml first
    return tar_gz(
        (f"{name}/{file.relative_to(folder).as_posix()}", 0o644, file.read_bytes())
        for file in ordered
    )


def add(folder: Path, file: LockedFile, source: Path) -> Descriptor:
    """Put the packaged chart `source` into the layout `folder`; its entry for index.json.

    Raises:
        OperationFailed: it is no packaged chart.
    """
    packed = source.read_bytes()
    chart = _chart(_member(packed, source), str(source))
    config = _put(folder, CONFIG, _encoded(chart))
    content = _put(folder, CONTENT, packed)
    version = str(chart["version"])
    notes = {_TITLE: str(chart["name"]), _VERSION: version}
    if chart.get("description"):
        notes[_DESCRIPTION] = str(chart["description"])
    manifest = {
        "schemaVersion": 2,
        "mediaType": MANIFEST,
        "config": config.as_dict(),
        "layers": [content.as_dict()],
        "annotations": notes,
    }
    stored = _put(folder, MANIFEST, _encoded(manifest))
    repository = f"{layout.CHART_REPOSITORY}/{file.name}"
    reference = f"{repository}:{version.replace('+', '_')}"
    named = {
        layout.REF_NAME: reference,
        layout.CONTAINERD_NAME: reference,
        layout.REPOSITORY: repository,
        layout.KIND: "chart",
    }
    return Descriptor(MANIFEST, stored.digest, stored.size, annotations=named)


def _member(packed: bytes, source: Path) -> bytes:
    """The text of the top Chart.yaml of a packaged chart."""
    try:
        with tarfile.open(fileobj=io.BytesIO(packed), mode="r:gz") as tar:
            for member in tar:
                parts = member.name.split("/")
                if len(parts) == 2 and parts[1] == "Chart.yaml":
                    held = tar.extractfile(member)
                    if held is not None:
                        return held.read()
    except (tarfile.TarError, OSError) as error:
        raise OperationFailed(f"not a packaged chart: {error}", where=str(source)) from error
    raise OperationFailed("not a packaged chart: it has no Chart.yaml", where=str(source))


def _chart(text: bytes, where: str) -> dict[str, Any]:
    try:
        found = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise InputError(f"Chart.yaml is not YAML: {error}", where=where) from error
    if not isinstance(found, dict) or not {"name", "version"} <= found.keys():
        raise InputError("Chart.yaml has no name or version", where=where)
    return found


def _encoded(value: object) -> bytes:
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=True).encode()


def _put(folder: Path, media_type: str, content: bytes) -> Descriptor:
    digest = f"sha256:{hashlib.sha256(content).hexdigest()}"
    file = layout.blob_file(folder, digest)
    if not file.exists():
        file.parent.mkdir(parents=True, exist_ok=True)
        files.write(file, content)
    return Descriptor(media_type, digest, len(content))
