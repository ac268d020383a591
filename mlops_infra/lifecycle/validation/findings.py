"""What a validator found: as data for programs, as sentences for people."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Literal

from mlops_infra.errors import FoundError

Rule = Literal[
    "missing-column",
    "unknown-column",
    "type",
    "range",
    "null",
    "category",
    "unique",
    "rows",
    "freshness",
    "foreign",
]
"""foreign: a rule that only another validator knows, such as TFDV."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One rule that rows of a table break."""

    rule: Rule
    column: str | None
    """None where the whole table is meant."""
    rows: int
    """How many rows break it; 0 where rows are not the point."""
    message: str
    examples: tuple[str, ...] = ()
    """Up to `EXAMPLES` offending values, with the row's number, counted from 0."""

    def __str__(self) -> str:
        place = f"{self.column}: " if self.column else ""
        count = f" ({self.rows} row{'s' if self.rows != 1 else ''})" if self.rows else ""
        shown = f", for example {', '.join(self.examples)}" if self.examples else ""
        return f"{place}{self.message}{count}{shown}"


@dataclass(frozen=True, slots=True)
class Report:
    """The outcome of one validation."""

    validator: str
    rows: int
    columns: int
    findings: tuple[Finding, ...]

    @property
    def ok(self) -> bool:
        """Whether the table keeps every rule."""
        return not self.findings

    def as_dict(self) -> dict[str, object]:
        """For JSON."""
        return {"ok": self.ok, **asdict(self)}

    def require(self, what: str = "the data", *, where: str | None = None) -> None:
        """Stop here unless the table keeps every rule.

        Raises:
            FoundError: with every finding.
        """
        if self.findings:
            raise FoundError(
                f"{what} breaks {len(self.findings)} rule{'s' if len(self.findings) != 1 else ''} "
                "of its schema",
                [str(each) for each in self.findings],
                where=where,
                hint="fix the data, or update its schema",
            )
