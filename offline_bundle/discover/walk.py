"""Finds image references wherever they hide in manifests: fields, arguments, variables, files."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

_REFERENCE = re.compile(
    r"(?<![\w./@:-])"  # not inside of a word or of a URL
    r"(?:[a-z0-9](?:[a-z0-9-]*[a-z0-9])?\.)*[a-z0-9-]+\.?[a-z0-9-]*(?::\d{1,5})?"  # registry
    r"(?:/[a-z0-9]+(?:[._-]+[a-z0-9]+)*)+"  # repository
    r"(?::[A-Za-z0-9_][\w.-]{0,127}(?:@sha256:[0-9a-f]{64})?|@sha256:[0-9a-f]{64})"
    r"(?![\w:/])"
)
_CONTAINERS = ("containers", "initContainers", "ephemeralContainers")


def objects(documents: Iterator[Any]) -> Iterator[Mapping[str, Any]]:
    """The objects of a stream of documents, those inside of a `List` too."""
    for document in documents:
        if not isinstance(document, Mapping):
            continue
        if str(document.get("kind", "")).endswith("List") and "items" in document:
            yield from objects(iter(document["items"]))
        else:
            yield document


def references(manifest: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Every reference in an object and the place of it, `ConfigMap ns/name: data.image`."""
    about = manifest.get("metadata") or {}
    space = f"{about['namespace']}/" if about.get("namespace") else ""
    title = f"{manifest.get('kind', 'object')} {space}{about.get('name', '')}"
    for path, text, direct in _strings(manifest, "", None):
        found = [text] if direct and text else _REFERENCE.findall(text)
        for reference in found:
            yield reference, f"{title}: {path}"


def _strings(value: Any, path: str, key: str | None) -> Iterator[tuple[str, str, bool]]:
    """Every string, its path, and whether it is an image's reference by its place alone."""
    if isinstance(value, Mapping):
        for name, inner in value.items():
            label = f"[{value['name']}]" if name == "value" and "name" in value else f".{name}"
            yield from _strings(inner, f"{path}{label}".lstrip("."), str(name))
    elif isinstance(value, list):
        for number, inner in enumerate(value):
            named = inner.get("name") if isinstance(inner, Mapping) else None
            yield from _strings(inner, f"{path}[{named if named else number}]", None)
    elif isinstance(value, str):
        direct = key == "image" and any(f"{each}[" in path for each in _CONTAINERS)
        yield path, value, direct
