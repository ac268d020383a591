"""Validators by name: ours, TFDV where it is installed, and those that other packages bring.

A package adds one by an entry point of the group `mlops_infra.validators`.
"""

from __future__ import annotations

import importlib
from importlib.metadata import EntryPoint, entry_points
from typing import TYPE_CHECKING, Protocol, cast

from mlops_infra.errors import InputError, MissingError
from mlops_infra.lifecycle.validation.check import check
from mlops_infra.lifecycle.validation.findings import Report
from mlops_infra.lifecycle.validation.schema import TableSchema

if TYPE_CHECKING:
    import pandas as pd

GROUP = "mlops_infra.validators"
_OWN = {
    "builtin": "mlops_infra.lifecycle.validation.validators:Builtin",
    "tfdv": "mlops_infra.lifecycle.validation.tfdv:Tfdv",
}
_PACKAGES = {"tfdv": "tensorflow-data-validation"}
"""What to install for those of ours that need more than this kit brings."""


class Validator(Protocol):
    """Holds tables against schemas."""

    def check(self, table: pd.DataFrame, schema: TableSchema) -> Report:
        """Every rule that `table` breaks."""


class Builtin:
    """This kit's own: light, and the same on every machine."""

    def check(self, table: pd.DataFrame, schema: TableSchema) -> Report:
        """Every rule that `table` breaks."""
        return check(table, schema)


def names() -> tuple[str, ...]:
    """Every name that `validator` knows here."""
    return tuple(sorted({*_OWN, *(point.name for point in entry_points(group=GROUP))}))


def validator(name: str = "builtin") -> Validator:
    """The validator called `name`.

    Raises:
        InputError: nobody brings such a one.
        MissingError: its package is not installed here.
    """
    points = {point.name: point for point in entry_points(group=GROUP)}
    points |= {own: EntryPoint(own, path, GROUP) for own, path in _OWN.items()}
    if name not in points:
        raise InputError(
            f"no such validator: '{name}'",
            where=f"known: {', '.join(names())}",
            hint=f"install the package that brings it, as an entry point of {GROUP}",
        )
    point = points[name]
    try:
        importlib.import_module(point.module)
        return cast("Validator", point.load()())
    except ModuleNotFoundError as error:
        package = _PACKAGES.get(name, error.name or point.module)
        raise MissingError(
            f"the validator '{name}' needs the package '{package}', which is not installed",
            where=point.value,
            hint=f"use an image that holds {package}, or the validator 'builtin'",
        ) from error
