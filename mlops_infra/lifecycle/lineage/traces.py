"""The six ids of a model's life, and how partial knowledge of them is joined."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields

from mlops_infra.errors import InputError, OperationFailed

_ANY = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:/+-]{0,199}")
_FORMS = {
    "data": (re.compile(r"[0-9a-f]{64}"), "the SHA-256 of the data, 64 hexadecimal digits"),
    "model": (re.compile(r"[^/]{1,180}/[0-9]{1,18}"), "name/version, for example wine/3"),
    "endpoint": (
        re.compile(r"[a-z0-9-]{1,63}/[A-Za-z0-9][A-Za-z0-9._-]{0,99}"),
        "tenant/name, for example demo/wine",
    ),
    "commit": (re.compile(r"[0-9a-f]{7,64}"), "a Git commit, 7 to 64 hexadecimal digits"),
}


@dataclass(frozen=True, slots=True)
class Trace:
    """Ids that belong together; None where a step did not know one."""

    pipeline_run: str | None = None
    """Name or uid of the workflow, the pipeline's run or the local run."""
    tracking_run: str | None = None
    """Id of the MLflow run."""
    data: str | None = None
    """SHA-256 of the training data."""
    model: str | None = None
    """`name/version` in the registry."""
    endpoint: str | None = None
    """`tenant/name` at the model gateway."""
    commit: str | None = None
    """Commit of the code that trained it."""

    def __post_init__(self) -> None:
        if not self.ids:
            raise InputError("a trace needs at least one id")
        for kind, value in self.ids.items():
            form, meant = _FORMS.get(
                kind, (_ANY, "1 to 200 letters, digits and . _ : / + -, a letter or digit first")
            )
            if not form.fullmatch(value) or not value.isprintable():
                raise InputError(f"'{value}' is not a {_TITLES[kind]}", hint=meant)

    @property
    def ids(self) -> dict[str, str]:
        """The ids that are known, by kind."""
        return {kind: value for kind in KINDS if (value := getattr(self, kind)) is not None}

    @property
    def anchors(self) -> dict[str, str]:
        """The ids that one training alone has; traces that share one belong together."""
        return {k: v for k, v in self.ids.items() if k in ("tracking_run", "model")}

    def shares(self, other: Trace) -> bool:
        """Whether this trace holds all that `other` tells."""
        return other.ids.items() <= self.ids.items()


KINDS = tuple(field.name for field in fields(Trace))
_TITLES = {kind: kind.replace("_", " ") for kind in KINDS}


def trace_of(text: str) -> Trace:
    """Read what `Lineage.record` wrote.

    Raises:
        OperationFailed: something else wrote it.
    """
    try:
        read: Mapping[str, str] = json.loads(text)
        return Trace(**read)
    except (ValueError, TypeError, AttributeError, InputError) as error:
        raise OperationFailed(
            "a lineage key was not written by this program", where=text[:80]
        ) from error


def joined(traces: Sequence[Trace]) -> list[Trace]:
    """Join traces of the same model version, then fill in what their tracking run knows.

    One tracking run may have registered several model versions and one version may serve at
    several endpoints: each (tracking run, model, endpoint) that was recorded is one result.
    """
    known = {kind: _knowledge(kind, traces) for kind in ("tracking_run", "model")}
    filled = []
    for trace in traces:
        ids = dict(trace.ids)
        for anchor in ("model", "tracking_run"):
            if anchor in ids:
                ids = {**known[anchor][ids[anchor]], **ids}
        filled.append(Trace(**ids))
    whole = dict.fromkeys(filled)
    found = [
        each for each in whole if not any(other != each and other.shares(each) for other in whole)
    ]
    return sorted(found, key=_order)


def _order(trace: Trace) -> tuple[object, ...]:
    """By model, its version as a number, then endpoint and run."""
    name, _, version = (trace.model or "").rpartition("/")
    number = int(version) if version.isdecimal() else 0
    return (name, number, trace.endpoint or "", trace.tracking_run or trace.pipeline_run or "")


def _knowledge(anchor: str, traces: Sequence[Trace]) -> dict[str, dict[str, str]]:
    """For each value of `anchor` the ids it has only one of."""
    found: dict[str, dict[str, str]] = {}
    many = ("endpoint", "model") if anchor == "tracking_run" else ("endpoint",)
    for trace in traces:
        if anchor in trace.ids:
            single = {k: v for k, v in trace.ids.items() if k not in many}
            found.setdefault(trace.ids[anchor], {}).update(single)
    return found
