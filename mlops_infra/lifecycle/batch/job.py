"""What a batch job is asked to do, and what it did."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, Protocol

if TYPE_CHECKING:
    import pandas as pd

CHUNK_ROWS = 1000


@dataclass(frozen=True, slots=True)
class BatchJob:
    """One declared job."""

    tenant: str
    name: str
    model: str
    """Registered name; which version is champion is asked when a partition begins."""
    source: str
    """`s3://bucket/prefix` or `sql://[database/]table`."""
    key: tuple[str, ...]
    """Columns that identify a row."""
    partition_column: str | None = None
    chunk_rows: int = CHUNK_ROWS

    @property
    def id(self) -> str:
        """`tenant/model/name`."""
        return f"{self.tenant}/{self.model}/{self.name}"


class Scorer(Protocol):
    """One version of a model."""

    @property
    def version(self) -> str:
        """`name/version` in the registry."""

    def score(self, rows: pd.DataFrame) -> Sequence[Any]:
        """One answer that has a JSON form for each row."""


class Champion(Protocol):
    """Finds versions of a model."""

    def current(self) -> Scorer:
        """The champion of now."""

    def version(self, version: str) -> Scorer:
        """A certain one: a partition that was begun is ended by the same."""


@dataclass(frozen=True, slots=True)
class BatchResult:
    """How one partition went."""

    partition: str
    model: str
    rows: int
    """Rows of the partition."""
    written: int
    """Rows that this run has written."""
    resumed_at: int
    """Rows that an earlier run had written."""
    outcome: Literal["done", "unchanged"]
