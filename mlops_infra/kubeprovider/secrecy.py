"""Marks of secrecy carried from inputs to outputs, and secret text kept out of messages."""

from __future__ import annotations

import base64
import binascii
import threading
from collections.abc import Iterator

from mlops_infra.kubeprovider.values import Secret, Tree, has_secret

_LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"
_SHORTEST = 8
_LONGEST_WORD = 12
"""Shorter strings, and single words up to this length, occur by chance in any message (a user name
like `mlflow` is also part of a Pod's name): hiding those would only garble it."""


def mark(outputs: dict[str, Tree], inputs: Tree) -> dict[str, Tree]:
    """Return `outputs` with everything marked that is secret in `inputs` or by its kind.

    A list with a secret anywhere inside is marked whole, since a server may reorder its items.
    """
    inputs = inputs.value if isinstance(inputs, Secret) else inputs
    marked = {key: _marked(value, inputs, key) for key, value in outputs.items()}
    if outputs.get("kind") == "Secret":
        _mark_secret_object(marked)
    return marked


def _marked(value: Tree, inputs: Tree, key: str) -> Tree:
    if isinstance(value, Secret) or not isinstance(inputs, dict) or key not in inputs:
        return value
    source = inputs[key]
    if isinstance(value, dict) and isinstance(source, dict):
        return mark(value, source)
    return Secret(value) if has_secret(source) else value


def _mark_secret_object(marked: dict[str, Tree]) -> None:
    for key in ("data", "stringData"):
        if key in marked and not isinstance(marked[key], Secret):
            marked[key] = Secret(marked[key])
    metadata = marked.get("metadata")
    if not isinstance(metadata, dict):
        return
    notes = metadata.get("annotations")
    if isinstance(notes, dict) and isinstance(notes.get(_LAST_APPLIED), str):
        # kubectl keeps a copy of the whole object there
        hidden = {**notes, _LAST_APPLIED: Secret(notes[_LAST_APPLIED])}
        marked["metadata"] = {**metadata, "annotations": hidden}


class Redactor:
    """Knows every secret string that this process has met and takes it out of messages."""

    def __init__(self) -> None:
        self._known: set[str] = set()
        self._lock = threading.Lock()

    def learn(self, tree: Tree) -> None:
        """Remember the secret strings in `tree`, as they are, in base64 and decoded from it."""
        found: set[str] = set()
        for text in _secret_strings(tree, inside=False):
            for line in (text, *text.splitlines()):
                found.update((line, base64.b64encode(line.encode()).decode(), _decoded(line)))
        with self._lock:
            self._known.update(text for text in found if _telling(text))

    def clean(self, message: str) -> str:
        """`message` with each known secret replaced."""
        with self._lock:
            known = sorted((text for text in self._known if text in message), key=len)
        for text in reversed(known):
            message = message.replace(text, "[secret]")
        return message


def _telling(text: str) -> bool:
    return len(text) >= _SHORTEST and not (text.isalpha() and len(text) <= _LONGEST_WORD)


def _secret_strings(tree: Tree, *, inside: bool) -> Iterator[str]:
    match tree:
        case Secret(inner):
            yield from _secret_strings(inner, inside=True)
        case dict():
            always = ("data", "stringData") if tree.get("kind") == "Secret" else ()
            for key, item in tree.items():
                yield from _secret_strings(item, inside=inside or key in always)
        case list():
            for item in tree:
                yield from _secret_strings(item, inside=inside)
        case str() if inside:
            yield tree
        case _:
            return


def _decoded(text: str) -> str:
    try:
        return base64.b64decode(text, validate=True).decode()
    except (binascii.Error, ValueError):
        return ""
