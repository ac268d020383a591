"""Names that people and other systems refer to: deterministic, legal, never cut in silence."""

from __future__ import annotations

import hashlib
import re
from unicodedata import category

from mlops_infra.errors import InputError

DNS_LABEL_MAX = 63
"""RFC 1123; Kubernetes object names of most kinds."""

_DNS_LABEL = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?")


def dns_label(value: str, *, what: str = "name") -> str:
    """Return `value` if it is an RFC 1123 label.

    Raises:
        InputError: it is not; the message says which rule it breaks.
    """
    if len(value) > DNS_LABEL_MAX:
        raise InputError(
            f"{what} '{value}' has {len(value)} characters, the maximum is {DNS_LABEL_MAX}",
            hint="choose a shorter one",
        )
    if not _DNS_LABEL.fullmatch(value):
        raise InputError(
            f"{what} '{value}' is not a DNS label",
            hint="use a-z, 0-9 and '-', and begin and end with a letter or digit",
        )
    return value


def fitted(value: str, limit: int) -> str:
    """Return `value`, or its head and a hash of the whole where it is longer than `limit`.

    The same input always gives the same output, and two inputs never the same by cutting alone.
    """
    if len(value) <= limit:
        return value
    digest = hashlib.sha256(value.encode()).hexdigest()[:8]
    return f"{value[: limit - 9].rstrip('-.')}-{digest}"


def printable(value: str) -> str:
    """`value` with what a terminal would obey and not show as Python's escapes.

    Line breaks, tabs and characters that turn the direction of writing; spaces of any kind stay.
    """
    return "".join(c if c.isprintable() or category(c) == "Zs" else repr(c)[1:-1] for c in value)


def field_manager(stack: str) -> str:
    """Who owns the fields of a stack's objects, to the API server; the same in every run."""
    return f"mlops-infra-{stack}"
