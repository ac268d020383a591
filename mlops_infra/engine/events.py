"""Pulumi's engine events as data of ours, and as progress while they arrive.

Verdicts are taken from these records, never from the text that Pulumi prints.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from pulumi.automation import EngineEvent
from pulumi.automation.events import OpType, StepEventMetadata

from mlops_infra.engine.object_key import ObjectKey, component_of, version_of
from mlops_infra.progress import Step

_NO_CHANGE = frozenset({"same", "read", "refresh"})
_VERB = {
    "create": "creating",
    "update": "updating",
    "delete": "deleting",
    "replace": "replacing",
    "create-replacement": "creating anew",
    "delete-replaced": "deleting the old",
    "discard": "forgetting",
}
_STACK = "pulumi:pulumi:Stack"
_OWN = "pulumi:providers:pulumi"
"""The engine's own provider: part of every stack, made by nobody's program."""


@dataclass(frozen=True, slots=True)
class Change:
    """One thing that a run does, or would do, to one resource."""

    urn: str
    type: str
    op: str
    keys: tuple[str, ...]
    """Inputs that force a replacement, or else the inputs that change."""
    old: Mapping[str, Any]
    """Inputs before; secrets are filtered out by the engine."""
    new: Mapping[str, Any]
    protect: bool

    @property
    def kind(self) -> str:
        """For example `StatefulSet`."""
        return self.type.rpartition(":")[2]

    @property
    def version(self) -> str:
        """`apiVersion` of a Kubernetes object; empty for anything else."""
        return version_of(self.type, self.new or self.old)

    @property
    def key(self) -> ObjectKey | None:
        """The Kubernetes object that it is about; None for anything else."""
        return ObjectKey.of(self.type, self.new or self.old)

    @property
    def name(self) -> str:
        """Name as people know it: `namespace/name` of a Kubernetes object, else Pulumi's."""
        return self.key.path if self.key else self.urn.rpartition("::")[2]

    @property
    def component(self) -> str | None:
        """The component of the platform that it belongs to, by its label."""
        return component_of(self.new or self.old)

    def as_dict(self) -> dict[str, object]:
        """Without inputs: those are long and belong to the engine."""
        return {
            "op": self.op,
            "kind": self.kind,
            "name": self.name,
            "component": self.component,
            "keys": list(self.keys),
        }


@dataclass(frozen=True, slots=True)
class Diagnostic:
    """A message of the engine or of a provider about a resource."""

    urn: str
    severity: str
    message: str


@dataclass(slots=True)
class RunLog:
    """All that one run of the engine told."""

    changes: dict[tuple[str, str], Change] = field(default_factory=dict)
    diagnostics: list[Diagnostic] = field(default_factory=list)
    failed: list[Change] = field(default_factory=list)
    outputs: dict[str, Any] | None = None
    """The stack's outputs, old ones where they do not change."""
    outputs_changed: bool = False
    corrupt: bool = False
    """The engine itself doubts the state it wrote."""

    def changed(self) -> list[Change]:
        """The changes in the order they came, one a resource and operation."""
        return list(self.changes.values())

    def counts(self) -> dict[str, int]:
        """Operation -> number of resources; a replacement counts once."""
        found: dict[str, int] = {}
        for change in self.changes.values():
            if change.op not in {"create-replacement", "delete-replaced"}:
                found[change.op] = found.get(change.op, 0) + 1
        return found

    def errors(self) -> list[Diagnostic]:
        """What was said with severity error, each message once."""
        found = {d.message: d for d in self.diagnostics if d.severity == "error"}
        return list(found.values())


class Watch(Protocol):
    """Follows the operations that are under way; called from the thread of the events."""

    def began(self, change: Change) -> None:
        """An operation has begun."""

    def ended(self, urn: str, op: str) -> None:
        """An operation has ended, well or not."""


class Collector:
    """Takes the engine's events from its thread into a log and a step of progress."""

    def __init__(self, work: Step, watch: Watch | None = None) -> None:
        self.log = RunLog()
        self._work = work
        self._watch = watch
        self._lock = threading.Lock()

    def __call__(self, event: EngineEvent) -> None:
        """One event; must not raise, the SDK would swallow it."""
        with self._lock:
            if (pre := event.resource_pre_event) is not None:
                self._began(pre.metadata)
            elif (done := event.res_outputs_event) is not None:
                self._ended(done.metadata)
            elif (failed := event.res_op_failed_event) is not None:
                self._over(failed.metadata)
                self.log.failed.append(_change(failed.metadata))
            elif (said := event.diagnostic_event) is not None and not said.ephemeral:
                text = _plain(said.message)
                if text:
                    self.log.diagnostics.append(Diagnostic(said.urn or "", said.severity, text))
            elif (summary := event.summary_event) is not None:
                self.log.corrupt = bool(summary.maybe_corrupt)

    def _began(self, step: StepEventMetadata) -> None:
        change = _change(step)
        if change.op in _NO_CHANGE or change.type == _OWN:
            return
        # A preview knows more the second time an operation is announced (keys, inputs).
        self.log.changes[change.urn, change.op] = change
        if self._watch is not None:
            self._watch.began(change)
        if change.type != _STACK:
            self._work.note(f"{_VERB.get(change.op, change.op)} {change.kind} {change.name}")

    def _ended(self, step: StepEventMetadata) -> None:
        if step.type == _STACK and step.new is not None:
            self.log.outputs = dict(step.new.outputs or {})
            before = dict(step.old.outputs or {}) if step.old else {}
            self.log.outputs_changed = before != self.log.outputs
        self._over(step)
        if OpType(step.op).value not in _NO_CHANGE and step.type != _OWN:
            self._work.advance()

    def _over(self, step: StepEventMetadata) -> None:
        if self._watch is not None:
            self._watch.ended(step.urn, OpType(step.op).value)


def _change(step: StepEventMetadata) -> Change:
    old, new = step.old, step.new
    return Change(
        urn=step.urn,
        type=step.type,
        op=OpType(step.op).value,
        keys=tuple(step.keys or step.diffs or ()),
        old=(old.inputs if old else None) or {},
        new=(new.inputs if new else None) or {},
        protect=bool(old and old.protect),
    )


def _plain(message: str) -> str:
    """Without the engine's colour marks."""
    import re

    return re.sub(r"<\{%[^%]*%\}>|\x1b\[[0-9;]*m", "", message).strip()
