"""Wheels as a package index of plain files, which every installer reads without a server.

::

    wheels/<file>.whl                      `pip install --no-index --find-links wheels`
    wheels/<file>.whl.metadata             PEP 658: resolvers need not open the wheel
    wheels/simple/index.html  index.json   PEP 503 and 691: `pip install --index-url file://…`
    wheels/simple/<project>/index.html
    wheels/simple/<project>/index.json

Specification: packaging.python.org, "Simple repository API", version 1.1.
"""

from __future__ import annotations

import hashlib
import html
import json
import re
import shutil
import zipfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from mlops_infra.errors import OperationFailed
from offline_bundle import layout

API_VERSION = "1.1"
SIMPLE = "simple"


@dataclass(frozen=True, slots=True)
class Wheel:
    """One wheel of a bundle as an index tells it."""

    project: str
    """Normalised name."""
    filename: str
    sha256: str
    size: int
    metadata_sha256: str
    requires_python: str | None


def normalised(name: str) -> str:
    """A project's name as URLs have it (PEP 503)."""
    return re.sub(r"[-_.]+", "-", name).lower()


def add(folder: Path, source: Path, filename: str, sha256: str) -> Wheel:
    """Copy the wheel `source` and its metadata into the bundle `folder`.

    Raises:
        OperationFailed: it is no wheel.
    """
    target = folder / layout.WHEELS / filename
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(source, target)
    told = _metadata(target)
    target.with_name(f"{filename}.metadata").write_bytes(told)
    requires = re.search(r"(?m)^Requires-Python:[ \t]*(\S.*)$", told.decode("utf-8", "replace"))
    return Wheel(
        project=normalised(filename.partition("-")[0]),
        filename=filename,
        sha256=sha256,
        size=target.stat().st_size,
        metadata_sha256=hashlib.sha256(told).hexdigest(),
        requires_python=requires[1].strip() if requires else None,
    )


def write_index(folder: Path, wheels: Iterable[Wheel]) -> None:
    """Write the index of all wheels of the bundle `folder`; nothing where there are none."""
    by_project: dict[str, list[Wheel]] = {}
    for wheel in sorted(wheels, key=lambda one: (one.project, one.filename)):
        by_project.setdefault(wheel.project, []).append(wheel)
    if not by_project:
        return
    root = folder / layout.WHEELS / SIMPLE
    for project, found in by_project.items():
        (root / project).mkdir(parents=True, exist_ok=True)
        (root / project / "index.html").write_text(project_html(project, found), "utf-8")
        (root / project / "index.json").write_text(_text(project_json(project, found)), "utf-8")
    (root / "index.html").write_text(root_html(by_project), "utf-8")
    (root / "index.json").write_text(_text(root_json(by_project)), "utf-8")


def root_html(projects: Iterable[str]) -> str:
    """The list of projects, PEP 503."""
    return _page("Simple index", [f'<a href="{name}/">{name}</a><br>' for name in projects])


def root_json(projects: Iterable[str]) -> dict[str, object]:
    """The list of projects, PEP 691."""
    return {"meta": {"api-version": API_VERSION}, "projects": [{"name": n} for n in projects]}


def project_html(project: str, wheels: Iterable[Wheel], base: str = "../../") -> str:
    """The files of one project, PEP 503; `base` leads from the page to the wheels."""
    lines = []
    for wheel in wheels:
        hashed = f"sha256={wheel.metadata_sha256}"
        requires = wheel.requires_python
        more = f' data-requires-python="{html.escape(requires)}"' if requires else ""
        lines.append(
            f'<a href="{base}{wheel.filename}#sha256={wheel.sha256}" data-core-metadata="{hashed}"'
            f' data-dist-info-metadata="{hashed}"{more}>{wheel.filename}</a><br>'
        )
    return _page(f"Links for {project}", lines)


def project_json(project: str, wheels: Iterable[Wheel], base: str = "../../") -> dict[str, object]:
    """The files of one project, PEP 691 with the keys of PEP 658, 700 and 714."""
    found = list(wheels)
    return {
        "meta": {"api-version": API_VERSION},
        "name": project,
        "versions": sorted({wheel.filename.split("-")[1] for wheel in found}),
        "files": [_file(wheel, base) for wheel in found],
    }


def _file(wheel: Wheel, base: str) -> Mapping[str, object]:
    told = {"sha256": wheel.metadata_sha256}
    entry: dict[str, object] = {
        "filename": wheel.filename,
        "url": f"{base}{wheel.filename}",
        "hashes": {"sha256": wheel.sha256},
        "size": wheel.size,
        "core-metadata": told,
        "dist-info-metadata": told,
        "yanked": False,
    }
    if wheel.requires_python:
        entry["requires-python"] = wheel.requires_python
    return entry


def _page(title: str, lines: list[str]) -> str:
    head = (
        '<!DOCTYPE html>\n<html><head><meta charset="utf-8">'
        f'<meta name="pypi:repository-version" content="{API_VERSION}">'
        f"<title>{title}</title></head><body>"
    )
    return "\n".join([head, *lines, "</body></html>", ""])


def _text(value: object) -> str:
    return json.dumps(value, indent=1, sort_keys=True) + "\n"


def _metadata(wheel: Path) -> bytes:
    try:
        with zipfile.ZipFile(wheel) as archive:
            for name in archive.namelist():
                if name.endswith(".dist-info/METADATA") and name.count("/") == 1:
                    return archive.read(name)
    except zipfile.BadZipFile as error:
        raise OperationFailed(f"not a wheel: {error}", where=str(wheel)) from error
    raise OperationFailed("not a wheel: it has no METADATA", where=str(wheel))
