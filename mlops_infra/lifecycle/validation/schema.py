"""What a table must look like: plain data with a JSON form that people can read and edit."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any, Literal, get_args

from mlops_infra.errors import InputError

Kind = Literal["integer", "number", "boolean", "string", "timestamp"]
FORMAT = 1
"""Of the JSON form; a program reads its own and older ones."""


@dataclass(frozen=True, slots=True)
class ColumnSchema:
    """The rules of one column; None means that nothing is demanded."""

    name: str
    kind: Kind
    required: bool = True
    minimum: float | None = None
    maximum: float | None = None
    max_null_share: float = 0.0
    """0 to 1."""
    categories: tuple[str, ...] | None = None
    """The only values that count, as text."""
    unique: bool = False


@dataclass(frozen=True, slots=True)
class TableSchema:
    """The rules of one table."""

    columns: tuple[ColumnSchema, ...]
    min_rows: int = 1
    max_rows: int | None = None
    unique_together: tuple[str, ...] = ()
    """Columns that name a row: no two rows agree in all of them."""
    fresh_column: str | None = None
    """A timestamp column whose newest value tells how old the table is."""
    max_age_seconds: float | None = None
    other_columns: Literal["allow", "refuse"] = "refuse"
    """What becomes of columns that are not listed."""
    reference: str | None = None
    """Fingerprint of the data that the schema was inferred from."""

    def column(self, name: str) -> ColumnSchema | None:
        """The rules of one column."""
        return next((each for each in self.columns if each.name == name), None)

    @property
    def texts(self) -> tuple[str, ...]:
        """The columns that hold texts."""
        return tuple(each.name for each in self.columns if each.kind == "string")

    def without(self, *names: str) -> TableSchema:
        """The same rules for tables that lack some columns: a label is unknown when scoring."""
        kept = tuple(each for each in self.columns if each.name not in names)
        values = {f.name: getattr(self, f.name) for f in fields(self)} | {"columns": kept}
        if set(names) & set(self.unique_together):
            values["unique_together"] = ()
        return TableSchema(**values)

    def to_json(self) -> str:
        """The JSON form: stable, one column a line block, made to be read by people."""
        return json.dumps({"format": FORMAT, **asdict(self)}, indent=2, ensure_ascii=False) + "\n"


def from_json(text: str, where: str) -> TableSchema:
    """Read `to_json`'s form, edited by hand or not.

    Raises:
        InputError: it is not a schema, or one of a newer program; `where` says which file.
    """
    try:
        body = json.loads(text)
        form = body.pop("format")
        if form != FORMAT:
            raise InputError(
                f"the schema has format {form}, this program knows {FORMAT}",
                where=where,
                hint="use the release that wrote it, or a newer one",
            )
        columns = tuple(_column(each) for each in body.pop("columns"))
        body["unique_together"] = tuple(body.get("unique_together", ()))
        return TableSchema(columns=columns, **body)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise InputError(
            f"not a table schema: {error}",
            where=where,
            hint="infer it again from the reference data, or fix the file",
        ) from error


def _column(body: Mapping[str, Any]) -> ColumnSchema:
    plain = dict(body)
    if plain["kind"] not in get_args(Kind):
        raise ValueError(f"column {plain['name']} has the unknown kind {plain['kind']!r}")
    if plain.get("categories") is not None:
        plain["categories"] = tuple(str(each) for each in plain["categories"])
    return ColumnSchema(**plain)
