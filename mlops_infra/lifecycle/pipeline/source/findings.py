"""What `pipeline check` finds in a person's file, with the place where it stands."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from mlops_infra.lifecycle.pipeline.source.file import Place

Mistake = Literal[
    "syntax",
    "no-steps",
    "name",
    "signature",
    "missing-type",
    "unserialisable",
    "undeclared-input",
    "default",
    "type-mismatch",
    "cycle",
    "global",
    "undefined",
    "import",
    "option",
    "twice",
    "size",
]


@dataclass(frozen=True, slots=True)
class Finding:
    """One mistake that would stop the pipeline in the cluster."""

    mistake: Mistake
    message: str
    place: Place
    hint: str | None = None

    def __str__(self) -> str:
        return f"{self.place}: {self.message}"

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {
            "mistake": self.mistake,
            "message": self.message,
            "cell": self.place.cell,
            "line": self.place.line,
            "hint": self.hint,
        }
