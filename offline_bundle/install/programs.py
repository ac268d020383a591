"""Programs for people's PATH and plugins for Pulumi's home, out of the bundle's folder."""

from __future__ import annotations

import json
import re
import shutil
import tarfile
from pathlib import Path, PurePosixPath

from mlops_infra import toolchain
from mlops_infra.errors import OperationFailed
from mlops_infra.toolchain.bundle import file_name
from offline_bundle import layout

FOR_PEOPLE = ("pulumi", "pulumi-language-python", "pulumi-language-python-exec", "helm", "kubectl")
"""What goes on PATH. The rest is taken from the bundle by the toolchain room: CNI's `bridge` must
not stand before the one of iproute2."""

_PLUGIN = re.compile(
    r"pulumi-(resource|language|converter|tool)-(.+)-v(\d[^-]*(?:-[^-]+)?)-[^-]+-[^-]+\.tar\.gz"
)
_CHART_CONTENT = "application/vnd.cncf.helm.chart.content.v1.tar+gzip"


def lay_programs(bundle: Path, folder: Path) -> tuple[str, ...]:
    """Copy the programs for people into `folder`, executable; returns their names."""
    folder.mkdir(parents=True, exist_ok=True)
    placed = []
    for pin in toolchain.pins().values():
        for program in pin.contents:
            name = file_name(program, pin.version)
            source = bundle / layout.BINARIES / name
            if program in FOR_PEOPLE and source.is_file():
                shutil.copyfile(source, folder / program)
                (folder / program).chmod(0o755)
                placed.append(program)
    return tuple(placed)


def lay_plugins(bundle: Path, home: Path) -> tuple[str, ...]:
    """Unpack the provider plugins into Pulumi's `home`; returns their folders' names.

    The folder's name is what the engine looks for: `<kind>-<name>-v<version>`.

    Raises:
        OperationFailed: an archive holds something else than files below its own folder.
    """
    (home / "plugins").mkdir(parents=True, exist_ok=True)
    placed = []
    for archive in sorted((bundle / layout.PLUGINS).glob("*.tar.gz")):
        match = _PLUGIN.fullmatch(archive.name)
        if match is None:
            raise OperationFailed(
                "not the name of a Pulumi plugin's archive",
                where=f"{layout.PLUGINS}/{archive.name}",
                hint="pulumi-resource-<name>-v<version>-<os>-<arch>.tar.gz",
            )
        name = f"{match[1]}-{match[2]}-v{match[3]}"
        _unpack(archive, home / "plugins" / name)
        placed.append(name)
    return tuple(placed)


def _unpack(archive: Path, target: Path) -> None:
    target.mkdir(exist_ok=True)
    with tarfile.open(archive, "r:gz") as tar:
        for member in tar:
            path = PurePosixPath(member.name)
            if member.isdir():
                continue
            if not member.isreg() or path.is_absolute() or ".." in path.parts:
                raise OperationFailed(
                    f"refused the entry '{member.name}' of a plugin's archive",
                    where=f"{layout.PLUGINS}/{archive.name}",
                )
            source = tar.extractfile(member)
            file = target / path
            file.parent.mkdir(parents=True, exist_ok=True)
            with file.open("wb") as out:
                shutil.copyfileobj(source, out, 1 << 20)  # type: ignore[arg-type]  # regular file
            file.chmod(0o755 if member.mode & 0o100 else 0o644)


def lay_charts(bundle: Path, folder: Path) -> tuple[str, ...]:
    """Link the packaged charts as `<name>-<version>.tgz`; returns the names."""
    folder.mkdir(parents=True, exist_ok=True)
    placed = []
    for item in json.loads((bundle / layout.INDEX).read_bytes())["manifests"]:
        notes = item.get("annotations") or {}
        if notes.get(layout.KIND) != "chart":
            continue
        manifest = json.loads(layout.blob_file(bundle, item["digest"]).read_bytes())
        (content,) = (x for x in manifest["layers"] if x["mediaType"] == _CHART_CONTENT)
        repository, _, tag = notes[layout.REF_NAME].rpartition(":")
        name = f"{repository.rpartition('/')[2]}-{tag.replace('_', '+')}.tgz"
        shutil.copyfile(layout.blob_file(bundle, content["digest"]), folder / name)
        placed.append(name)
    return tuple(sorted(placed))
