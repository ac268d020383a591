"""Which paths a bundle may hold: those that mean the same thing on every disk it is carried on."""

from __future__ import annotations

import re
from collections.abc import Iterable

from mlops_infra.errors import InputError

MAX_LENGTH = 1024
"""Bytes; a wheel's metadata file is the longest that a bundle has, at about 200."""

_FORBIDDEN = re.compile(r'[\x00-\x1f\x7f\\:*?"<>|]')
"""Control characters, and what FAT, exFAT and NTFS refuse or read as a drive or a stream."""
_DEVICES = re.compile(r"(con|prn|aux|nul|com[0-9]|lpt[0-9])(\..*)?", re.IGNORECASE)


class UnsafePath(InputError):
    """A path leaves its folder, or means another file on another disk."""


def require_safe(path: str) -> str:
    """Return `path` if it is relative, stays below its folder and is portable.

    Raises:
        UnsafePath: it is not.
    """
    reason = _why_unsafe(path)
    if reason:
        raise UnsafePath(f"the path {path!r} {reason}", hint="do not use this bundle")
    return path


def _why_unsafe(path: str) -> str | None:
    encoded = path.encode("utf-8", "surrogatepass")
    if not path or len(encoded) > MAX_LENGTH:
        return "is empty or too long"
    if len(encoded) != len(path.encode("utf-8", "replace")) or _FORBIDDEN.search(path):
        return "has characters that some file systems do not support"
    for part in path.split("/"):
        if part in {"", ".", ".."}:
            return "is absolute or leaves its folder"
        if part.endswith((".", " ")) or part.startswith(" ") or _DEVICES.fullmatch(part):
            return "is ambiguous on other file systems"
    return None


def require_distinct(paths: Iterable[str]) -> None:
    """Refuse two paths that a file system without case would take for one.

    Raises:
        UnsafePath: there are two.
    """
    seen: dict[str, str] = {}
    for path in paths:
        other = seen.setdefault(path.casefold(), path)
        if other != path:
            raise UnsafePath(f"the paths {other!r} and {path!r} differ only by case")
