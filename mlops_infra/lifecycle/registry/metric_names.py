"""Names of metrics in any language, as MLflow takes them and as people gave them.

MLflow takes letters of any script, digits, `_-. /:` and spaces. Anything else travels as the number
of its character between colons: `정확도 (%)` is `정확도 :u28::u25::u29:` there.
"""

from __future__ import annotations

import posixpath
import re

from mlops_infra.errors import InputError
from mlops_infra.naming import printable

LONGEST = 250
"""Letters of a name that MLflow takes."""
_TAKEN = re.compile(r"[/\w.\- :]")
_ESCAPED = re.compile(r":u([0-9a-f]{1,5}|10[0-9a-f]{4}):")


def encoded(name: str) -> str:
    """The name that MLflow takes; `decoded` gives the same name back."""
    whole = all(_TAKEN.fullmatch(letter) for letter in name)
    if whole and _is_path(name) and not _ESCAPED.search(name):
        return name
    special = ":" if _is_path(name) else ":/."
    return "".join(
        letter if _TAKEN.fullmatch(letter) and letter not in special else f":u{ord(letter):x}:"
        for letter in name
    )


def decoded(name: str) -> str:
    """The name as it was given."""
    return _ESCAPED.sub(lambda found: chr(int(found[1], 16)), name)


def check_name(name: str) -> None:
    """Refuse a name that MLflow cannot keep.

    Raises:
        InputError: it is empty, too long, or not a text.
    """
    if not name.strip():
        raise InputError("a metric has no name")
    try:
        name.encode()
    except UnicodeEncodeError as error:
        raise InputError(f"the name of metric '{printable(name)}' is not a text") from error
    if len(encoded(name)) > LONGEST:
        raise InputError(
            f"the name of metric '{printable(name[:40])}…' is too long",
            hint=f"MLflow keeps {LONGEST} letters; a sign that it does not know takes 4 to 9",
        )


def _is_path(name: str) -> bool:
    """Whether the slashes and dots are those of a file's name: MLflow makes files of names."""
    plain = name == posixpath.normpath(name) and not name.startswith(("/", ".."))
    return plain and name != "."
