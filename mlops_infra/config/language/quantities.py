"""Quantities by the grammar of Kubernetes: `500m`, `0.5`, `32Gi`, `1e9`.

All that Kubernetes takes is understood. Charts take the plain form, a number with a suffix, so the
other forms are refused with the plain one to write.
"""

from __future__ import annotations

import re
from decimal import Decimal
from fractions import Fraction
from typing import Annotated

from pydantic import AfterValidator, Field

from mlops_infra.config.language.invalid import InvalidValueError

_BINARY = {f"{letter}i": Fraction(1024**n) for n, letter in enumerate("KMGTPE", 1)}
_DECIMAL = {
    "n": Fraction(1, 10**9),
    "u": Fraction(1, 10**6),
    "m": Fraction(1, 1000),
    "": Fraction(1),
    **{letter: Fraction(1000**n) for n, letter in enumerate("kMGTPE", 1)},
}
_QUANTITY = re.compile(
    r"(?P<number>[0-9]+\.?[0-9]*|\.[0-9]+)"
    r"(?:[eE](?P<exponent>[+-]?[0-9]{1,2})|(?P<suffix>[KMGTPE]i|[numkMGTPE]?))",
    re.ASCII,
)
_PLAIN = re.compile(r"[0-9]+(\.[0-9]+)?(m|k|M|G|T|Ki|Mi|Gi|Ti)?", re.ASCII)
_MEBI = 1024**2
_LONGEST = 32


def parse(text: str) -> Fraction:
    """The number that a quantity means.

    Raises:
        InvalidValueError: Kubernetes does not take it.
    """
    match = _QUANTITY.fullmatch(text) if len(text) <= _LONGEST else None
    if match is None:
        raise InvalidValueError(f"'{text}' is not a quantity of Kubernetes")
    number = Fraction(match["number"].rstrip("."))
    if match["exponent"] is not None:
        return number * Fraction(10) ** int(match["exponent"])
    return number * {**_BINARY, **_DECIMAL}[match["suffix"]]


def doubled(text: str) -> str:
    """Twice as much, with the same suffix: `500m` gives `1000m`; raises as `parse`."""
    parse(text)
    number = text[: re.match(r"[0-9.]+", text).end()]  # type: ignore[union-attr]
    return f"{(Decimal(number) * 2).normalize():f}{text.removeprefix(number)}"


def mebibytes(text: str) -> Fraction:
    """How many MiB a size has."""
    return parse(text) / _MEBI


def _cpu(text: str) -> str:
    value = parse(text)
    if value <= 0 or (value * 1000).denominator != 1:
        message = f"'{text}' is not a positive amount of CPU in steps of 1m"
        raise InvalidValueError(message, "for example 8 or 500m")
    return _plain(text, value, binary=False)


def _bytes(text: str) -> str:
    value = parse(text)
    if value.denominator != 1 or value < _MEBI:
        count = text.rstrip("kmKMGTPEinu")
        message = f"'{text}' is {float(value):g} bytes, at least 1Mi in whole bytes is needed"
        raise InvalidValueError(message, f"did you mean {count or 5}Gi?")
    return _plain(text, value, binary=text.endswith("i"))


def _plain(text: str, value: Fraction, *, binary: bool) -> str:
    if not _PLAIN.fullmatch(text):
        raise InvalidValueError(
            f"'{text}' is not in the plain form", f"write {_largest_plain(value, binary=binary)}"
        )
    return text


def _largest_plain(value: Fraction, *, binary: bool) -> str:
    """The canonical form, with no suffix that charts lack."""
    units = ("Ti", "Gi", "Mi", "Ki", "") if binary else ("T", "G", "M", "k", "", "m")
    known = {**_BINARY, **_DECIMAL}
    unit = next(each for each in units if (value / known[each]).denominator == 1)
    return f"{value / known[unit]}{unit}"


_PATTERN = r"^[0-9.]+([eE][+-]?[0-9]+|[numkMGTPE]|[KMGTPE]i)?$"

Cpu = Annotated[str, Field(pattern=_PATTERN, examples=["8"]), AfterValidator(_cpu)]
"""An amount of CPU, for example `8`, `0.5` or `500m`."""

Bytes = Annotated[str, Field(pattern=_PATTERN, examples=["32Gi"]), AfterValidator(_bytes)]
"""An amount of memory or storage, for example `32Gi`."""

Size = Annotated[str, Field(pattern=_PATTERN, examples=["5Gi"]), AfterValidator(_bytes)]
"""Size of a volume, for example `5Gi`."""
