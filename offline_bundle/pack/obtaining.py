"""Files of a lock as they can be had on this machine: made, found or downloaded.

========================  ==========================================================
`https://…`               downloaded, resumed, checked
`project:charts/NAME`     packed from the program's own charts
`project:wheel`           the program itself
`toolchain:TOOL`          found, fetched or built by the toolchain room
`plugin:NAME`             packed from Pulumi's home
`chart:PATH` `file:PATH`  of the person who wrote the lock; relative to the current folder
========================  ==========================================================
"""

from __future__ import annotations

import hashlib
from pathlib import Path

from mlops_infra import files, places, toolchain
from mlops_infra.errors import InputError, OperationFailed
from mlops_infra.progress import Sink, step
from mlops_infra.toolchain.download import download
from offline_bundle.fetch.storing import hash_file
from offline_bundle.model import LockedFile
from offline_bundle.pack.charts import archive
from offline_bundle.pack.plugins import plugin_archive
from offline_bundle.pack.program import program_wheel


def obtain(file: LockedFile, sink: Sink) -> Path:
    """A file on this machine with the content of `file`; not to be changed or moved.

    Raises:
        OperationFailed: it cannot be had, or is not what was locked.
        InputError: it was locked from a place that is not here.
    """
    kept = _kept(file.sha256)
    if kept.exists() and kept.stat().st_size == file.size:
        return kept
    found = make(file.source, file.name, file.version, sink, sha256=file.sha256)
    digest = hash_file(found, "sha256:").removeprefix("sha256:")
    if digest != file.sha256:
        raise OperationFailed(
            f"{file.kind} {file.name} {file.version} differs from the lock:"
            f" sha256 {digest}, locked is {file.sha256}",
            where=file.source,
            hint="create the lock again: `mlops-infra bundle lock -s STACK -o LOCK`",
        )
    return found


def make(source: str, name: str, version: str, sink: Sink, *, sha256: str | None = None) -> Path:
    """The file that `source` gives now, whatever its content.

    Raises:
        OperationFailed: it cannot be had.
        InputError: the source is not known, or not here.
    """
    scheme, _, rest = source.partition(":")
    if scheme in ("https", "http"):
        return _downloaded(source, name, sha256, sink)
    if scheme == "toolchain":
        tool = toolchain.ensure([rest], sink)[rest].path
        beside = tool if tool.is_dir() else tool.parent
        return tool if tool.name == name and tool.is_file() else beside / name
    if scheme == "file":
        if not Path(rest).is_file():
            hint = "run it in the folder where the lock was written"
            raise InputError("a file of the lock is missing", where=rest, hint=hint)
        return Path(rest)
    return _keep(_packed(scheme, rest, version))


def _packed(scheme: str, rest: str, version: str) -> bytes:
    if scheme == "project" and rest == "wheel":
        return program_wheel()
    if scheme == "project":
        return archive(places.project() / rest)
    if scheme == "chart":
        return archive(Path(rest))
    if scheme == "plugin":
        number = version.removeprefix("v")
        return plugin_archive(places.pulumi_home() / "plugins" / f"resource-{rest}-v{number}")
    raise InputError(f"unknown source of a file in the lock: '{scheme}:'")


def _downloaded(url: str, name: str, sha256: str | None, sink: Sink) -> Path:
    if sha256 is None:
        raise InputError("a download without its sha256 is refused", where=url)
    kept = _kept(sha256)
    if not kept.exists():
        with step(sink, f"Downloading {name}", unit="bytes") as work:
            part = download(url, f"sha256:{sha256}", work)
        kept.parent.mkdir(parents=True, exist_ok=True)
        part.replace(kept)
    return kept


def _keep(content: bytes) -> Path:
    kept = _kept(hashlib.sha256(content).hexdigest())
    if not kept.exists():
        kept.parent.mkdir(parents=True, exist_ok=True)
        files.write(kept, content)
    return kept


def _kept(sha256: str) -> Path:
    return places.cache() / "bundle" / "files" / sha256
