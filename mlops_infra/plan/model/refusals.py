"""Collects refusals, so that one run names them all."""

from __future__ import annotations

from dataclasses import dataclass, field

from mlops_infra.config import Origin
from mlops_infra.errors import PlanError, Problem
from mlops_infra.plan.model.planned import Finding


@dataclass(slots=True)
class Refusals:
    """What the gates say about one configuration."""

    origin: Origin
    problems: list[Problem] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)

    def add(self, path: tuple[str, ...], message: str, advice: str | None = None) -> None:
        """Refuse what stands at `path`."""
        line = self.origin.line(path)
        self.problems.append(Problem(".".join(path), message, line, advice))

    def note(self, finding: Finding) -> None:
        """Let it pass, and say so."""
        self.findings.append(finding)

    def stop_if_any(self) -> None:
        """Raise what was collected.

        Raises:
            PlanError: at least one thing was refused.
        """
        if self.problems:
            ordered = sorted(self.problems, key=lambda p: (p.line is None, p.line or 0))
            raise PlanError(self.origin.file, ordered)
