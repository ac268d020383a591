"""Files of the bundle under their own paths, and the package index among them.

::

    /wheels/…            the files as they lie there; /wheels/ is a page for --find-links
    /simple/…            leads to /wheels/simple/…, a PEP 503 or 691 index as the client prefers
    /plugins/<archive>   what `pulumi plugin install --server …/plugins` asks for
    /binaries/… /files/… /sbom/… /bundle.json /bundle.lock …

A path is looked up in the signed list and nowhere else.
"""

from __future__ import annotations

import html
import re
from urllib.parse import quote

from offline_bundle import layout
from offline_bundle.pack.wheels import SIMPLE, normalised
from offline_bundle.sealing import Entry
from offline_bundle.serve.answers import HTML, JSON, OCTETS, Answer, Request, problem
from offline_bundle.serve.ranges import Unsatisfiable
from offline_bundle.serve.ranges import asked as asked_range
from offline_bundle.volumes import Source

_INDEX_ROOT = f"{layout.WHEELS}/{SIMPLE}/"
_PYPI_JSON = "application/vnd.pypi.simple.v1+json"
_PYPI_HTML = "application/vnd.pypi.simple.v1+html"
_JSON_NAMES = (_PYPI_JSON, "application/vnd.pypi.simple.latest+json")
_HTML_NAMES = (_PYPI_HTML, "application/vnd.pypi.simple.latest+html", "text/html", "*/*")
_QUALITY = re.compile(r"q=([01](?:\.[0-9]{0,3})?)")


def answer(source: Source, asked: Request) -> Answer:
    """Answer what is not below `/v2/`.

    Raises:
        FoundError, MissingError: a file of the bundle changed, or its medium was removed.
    """
    path = asked.path.removeprefix("/")
    if path == SIMPLE or path.startswith(f"{SIMPLE}/"):
        return _moved(source, path.removeprefix(SIMPLE).strip("/"))
    if path == f"{layout.WHEELS}/":
        return _links(source)
    if path == layout.BUNDLE:
        return Answer(200, source.raw, {"Content-Type": JSON})
    if path.startswith(_INDEX_ROOT) and path.endswith("/"):
        return _index(source, path, asked)
    entry = source.contents.by_path.get(path)
    if entry is None or not source.has(entry):
        return problem(404, "NOT_FOUND", "the bundle has no such file")
    kind = JSON if path.endswith(".json") else HTML if path.startswith(_INDEX_ROOT) else OCTETS
    return whole_or_part(source, entry, asked, {"Content-Type": kind})


def whole_or_part(source: Source, entry: Entry, asked: Request, headers: dict[str, str]) -> Answer:
    """A file, or the range of it that was asked for.

    Raises:
        MissingError: its medium was taken away.
    """
    tag = f'"sha256:{entry.sha256}"'
    named = {"Content-Type": OCTETS, "Accept-Ranges": "bytes", "ETag": tag, **headers}
    if asked.headers.get("If-None-Match") == tag:
        return Answer(304, headers=named)
    try:
        part = asked_range(asked.headers, entry.size, tag)
    except Unsatisfiable:
        whole = {"Content-Range": f"bytes */{entry.size}"}
        return problem(416, "SIZE_INVALID", "no such range", whole)
    if part is None:
        return Answer(200, source.pieces(entry), named)
    start, length = part
    named["Content-Range"] = f"bytes {start}-{start + length - 1}/{entry.size}"
    return Answer(206, source.pieces(entry, start, length), named)


def _moved(source: Source, project: str) -> Answer:
    """The page of `project`, under the name and at the place where it lies."""
    page = f"{_INDEX_ROOT}{normalised(project)}/" if project else _INDEX_ROOT
    if f"{page}index.html" not in source.contents.by_path:
        return problem(404, "NOT_FOUND", "the bundle has no such project")
    return Answer(301, headers={"Location": f"/{quote(page)}"})


def _index(source: Source, path: str, asked: Request) -> Answer:
    name = "index.json" if _prefers_json(asked.headers.get("Accept", "")) else "index.html"
    entry = source.contents.by_path.get(path + name)
    if entry is None or not source.has(entry):
        return problem(404, "NOT_FOUND", "the bundle has no such project")
    kind = _PYPI_JSON if name == "index.json" else HTML
    return whole_or_part(source, entry, asked, {"Content-Type": kind, "Vary": "Accept"})


def _prefers_json(accept: str) -> bool:
    """Whether JSON is named with more weight than HTML (PEP 691, content negotiation)."""
    weights: dict[str, float] = {}
    for part in accept.lower().split(","):
        kind, *parameters = (each.strip() for each in part.split(";"))
        found = [_QUALITY.fullmatch(each) for each in parameters]
        weights[kind] = min([float(each[1]) for each in found if each] or [1.0])
    json_weight = max((weights.get(name, 0.0) for name in _JSON_NAMES), default=0.0)
    named = [weights[name] for name in _HTML_NAMES if name in weights]
    return json_weight > 0 and json_weight >= max(named, default=0.0)


def _links(source: Source) -> Answer:
    found = [entry for entry in source.contents.entries if _is_wheel(entry.path)]
    lines = []
    for entry in found:
        name = entry.path.rpartition("/")[2]
        lines.append(f'<a href="{quote(name)}#sha256={entry.sha256}">{html.escape(name)}</a><br>')
    page = "\n".join(["<!DOCTYPE html>", "<html><body>", *lines, "</body></html>", ""])
    return Answer(200, page.encode(), {"Content-Type": HTML})


def _is_wheel(path: str) -> bool:
    return path.startswith(f"{layout.WHEELS}/") and path.endswith(".whl")
