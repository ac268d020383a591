"""What is asked and what is answered, apart from sockets."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from email.message import Message
from urllib.parse import parse_qsl, unquote, urlsplit

from mlops_infra.errors import InputError
from offline_bundle.volumes import Piece

JSON = "application/json"
HTML = "text/html; charset=utf-8"
OCTETS = "application/octet-stream"
MAX_TARGET = 4096
"""Characters of a request's target; the longest that a bundle has is about 400."""


@dataclass(frozen=True, slots=True)
class Request:
    """One question, its target already taken apart."""

    path: str
    """Decoded once, beginning with `/`."""
    query: Mapping[str, str]
    """The first value of each name."""
    headers: Message


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer: small content in memory, or pieces of files that are never read into it."""

    status: int
    content: bytes | tuple[Piece, ...] = b""
    headers: Mapping[str, str] = field(default_factory=dict)

    @property
    def length(self) -> int:
        """Bytes of the content."""
        if isinstance(self.content, bytes):
            return len(self.content)
        return sum(piece.length for piece in self.content)


def request(target: str, headers: Message) -> Request:
    """Take a request's target apart.

    Raises:
        InputError: it is no path of this server.
    """
    if not target.startswith("/") or len(target) > MAX_TARGET:
        raise InputError("the request's target is not a path, or too long")
    try:
        parts = urlsplit("//-" + target)
        path = unquote(parts.path, errors="strict")
        found = parse_qsl(parts.query, keep_blank_values=True, max_num_fields=16, errors="strict")
    except ValueError as error:
        raise InputError("the request's target is badly encoded") from error
    if any(ord(letter) < 0x20 or ord(letter) == 0x7F for letter in path):
        raise InputError("the request's target has control characters")
    query: dict[str, str] = {}
    for name, value in found:
        query.setdefault(name, value)
    return Request(path, query, headers)


def document(value: object, headers: Mapping[str, str] | None = None, status: int = 200) -> Answer:
    """JSON."""
    named = {"Content-Type": JSON, **(headers or {})}
    return Answer(status, json.dumps(value).encode(), named)


def problem(
    status: int, code: str, message: str, headers: Mapping[str, str] | None = None
) -> Answer:
    """An error in the form of the distribution specification."""
    return document({"errors": [{"code": code, "message": message}]}, headers, status)
