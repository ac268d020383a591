"""A project's page of a package index, as JSON (PEP 691) or as HTML (PEP 503). Pure."""

from __future__ import annotations

import json
import re
import urllib.parse
from dataclasses import dataclass
from html.parser import HTMLParser
from typing import Any

from mlops_infra.errors import OperationFailed

ACCEPT = (
    "application/vnd.pypi.simple.v1+json, application/vnd.pypi.simple.v1+html;q=0.2,"
    " text/html;q=0.1"
)


@dataclass(frozen=True, slots=True)
class Listed:
    """One file of a project."""

    filename: str
    url: str
    """Whole, without a fragment."""
    sha256: str | None


def read(page: str, content: bytes) -> list[Listed]:
    """The files on a page.

    Args:
        page: the URL that it came from in the end, behind redirects: relative links begin there, or
            at what its `<base>` names.
        content: its bytes.

    Raises:
        OperationFailed: it is no page of an index.
    """
    try:
        if content.lstrip().startswith(b"{"):
            return [_of_json(page, each) for each in json.loads(content)["files"]]
        reader = _Anchors()
        reader.feed(content.decode("utf-8"))
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise OperationFailed(f"not a package index: {error}", where=page) from error
    base = urllib.parse.urljoin(page, reader.base)
    return [_of_anchor(base, each) for each in reader.found if each.get("href")]


def _of_json(page: str, file: dict[str, Any]) -> Listed:
    url = urllib.parse.urljoin(page, file["url"]).partition("#")[0]
    hashes = {str(name).lower(): str(each) for name, each in (file.get("hashes") or {}).items()}
    sha256 = hashes.get("sha256")
    return Listed(file["filename"], url, sha256.lower() if sha256 else None)


def _of_anchor(page: str, attributes: dict[str, str | None]) -> Listed:
    url, _, fragment = urllib.parse.urljoin(page, attributes["href"] or "").partition("#")
    name = urllib.parse.unquote(urllib.parse.urlsplit(url).path.rpartition("/")[2])
    # there may be several parts: `#egg=demo&sha256=…`
    sha256 = re.search(r"(?:^|[&;])sha256[=:]([0-9a-f]{64})(?![0-9a-f])", fragment, re.IGNORECASE)
    return Listed(name, url, sha256[1].lower() if sha256 else None)


class _Anchors(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[dict[str, str | None]] = []
        self.base = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "a":
            self.found.append(dict(attrs))
        elif tag == "base" and not self.base:
            self.base = dict(attrs).get("href") or ""
