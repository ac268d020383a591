"""Leads from any id of a model's life to all the others.

A `Trace` is what one step knew: some of six ids that belong together. Traces are only ever added,
each in one step of the store, so a killed program leaves a whole trace or none; a question asked a
year later gets the answer of today. `Pair` is the older, smaller form; pairs are still found.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Protocol

from mlops_infra.errors import InputError, OperationFailed
from mlops_infra.lifecycle.lineage.traces import KINDS, Trace, joined, trace_of

PREFIX = "mlops-infra:lineage"
_RUN_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:/-]{0,199}")
_HEX = re.compile(r"[0-9a-f]{7,64}")
_SHORT = 7
"""Letters of a commit or fingerprint that people paste, as Git shortens them."""


class KeyValue(Protocol):
    """The part of a key-value store that lineage needs."""

    def get_many(self, keys: Sequence[str]) -> list[str | None]:
        """The values of `keys`, None for each that is absent."""

    def members(self, keys: Sequence[str]) -> list[frozenset[str]]:
        """The members of the sets at `keys`, empty for each that is absent."""

    def set_all_if_absent(self, values: Mapping[str, str]) -> bool:
        """Write all in one step unless one of the keys exists; whether it wrote."""

    def write_once(
        self, values: Mapping[str, str], members: Sequence[tuple[str, str]] = ()
    ) -> list[str]:
        """Write all values and add all (set, member) in one step, or return clashing keys."""

    def delete(self, keys: Sequence[str]) -> int:
        """Delete what exists of `keys`; how many did."""


@dataclass(frozen=True, slots=True)
class Pair:
    """A run of a pipeline and the tracking run that records it."""

    pipeline_run: str
    tracking_run: str

    def __post_init__(self) -> None:
        for what, value in (("pipeline", self.pipeline_run), ("tracking", self.tracking_run)):
            if not _RUN_ID.fullmatch(value):
                raise InputError(
                    f"'{value}' is not an id of a {what} run",
                    hint="1 to 200 letters, digits and . _ : / -, a letter or digit first",
                )


class Lineage:
    """The traces and pairs that one key-value store holds."""

    def __init__(self, store: KeyValue) -> None:
        self._store = store

    def record(self, trace: Trace) -> None:
        """Keep `trace` and make it found from each of its ids; to record it again is not an error.

        Raises:
            OperationFailed: it contradicts what is known of its tracking run or model version.
        """
        text = json.dumps(trace.ids, sort_keys=True)
        name = hashlib.sha256(text.encode()).hexdigest()[:32]
        members = [(_index(kind, value), name) for kind, value in trace.ids.items()]
        members += [
            (_short(trace.ids[kind]), name) for kind in ("commit", "data") if kind in trace.ids
        ]
        clashes = self._store.write_once({_trace_key(name): text, **_facts(trace)}, members)
        if clashes:
            raise OperationFailed(
                f"{trace} contradicts the record: {', '.join(sorted(clashes))}",
                where=clashes[0],
                hint="a trace is never changed: use new run ids",
            )

    def find(self, any_id: str) -> list[Trace]:
        """All that belongs to a pipeline run, tracking run, model version, endpoint, data
        fingerprint or commit; the last two may be shortened to seven letters or more.

        Traces that tell of the same model or tracking run come back joined into one for each
        endpoint; an id that nobody recorded gives an empty list.
        """
        seen: dict[str, Trace] = {}
        waiting = {**self._named(any_id), **self._pairs(any_id)}
        while waiting:
            seen.update(waiting)
            anchors = {_index(k, v) for t in waiting.values() for k, v in t.anchors.items()}
            runs = {t.tracking_run for t in waiting.values() if t.tracking_run}
            near = {**self._read(self._store.members(sorted(anchors))), **self._pairs(*runs)}
            waiting = {name: trace for name, trace in near.items() if name not in seen}
        return [trace for trace in joined(list(seen.values())) if _matches(trace, any_id)]

    def _named(self, any_id: str) -> dict[str, Trace]:
        sets = [_index(kind, any_id) for kind in KINDS]
        if _HEX.fullmatch(any_id):
            sets.append(_short(any_id))
        found = self._read(self._store.members(sets))
        return {name: trace for name, trace in found.items() if _matches(trace, any_id)}

    def _read(self, sets: Sequence[frozenset[str]]) -> dict[str, Trace]:
        names = sorted(frozenset().union(*sets))
        if not names:
            return {}
        texts = self._store.get_many([_trace_key(name) for name in names])
        return {name: trace_of(text) for name, text in zip(names, texts, strict=True) if text}

    def _pairs(self, *ids: str) -> dict[str, Trace]:
        """Older pairs as traces, by a name of their own."""
        keys = [_key(side, name) for name in sorted(ids) for side in ("pipeline", "tracking")]
        pairs = [_pair(text) for text in (self._store.get_many(keys) if keys else ())]
        return {f"pair {p}": Trace(p.pipeline_run, p.tracking_run) for p in pairs if p}

    def link(self, pair: Pair) -> None:
        """Record `pair`; to record it again is not an error.

        Raises:
            OperationFailed: one of the two runs already belongs to another one.
        """
        keys = _keys(pair)
        value = json.dumps(asdict(pair), sort_keys=True)
        if self._store.set_all_if_absent(dict.fromkeys(keys, value)):
            return
        held = [_pair(text) for text in self._store.get_many(keys)]
        if held != [pair, pair]:
            other = next((found for found in held if found not in (None, pair)), None)
            raise OperationFailed(
                f"cannot link {pair}: " + (f"there is {other}" if other else "half of it exists"),
                where=f"keys {' and '.join(keys)}",
                hint="a pair is never changed: use new run ids",
            )

    def by_pipeline_run(self, run: str) -> Pair | None:
        """The pair of a pipeline's run."""
        return self._one(_key("pipeline", run))

    def by_tracking_run(self, run: str) -> Pair | None:
        """The pair of a tracking run."""
        return self._one(_key("tracking", run))

    def forget(self, pair: Pair) -> int:
        """Delete `pair`; how many of its two keys existed."""
        return self._store.delete(_keys(pair))

    def _one(self, key: str) -> Pair | None:
        return _pair(self._store.get_many([key])[0])


def _matches(trace: Trace, any_id: str) -> bool:
    if any_id in trace.ids.values():
        return True
    short = bool(_HEX.fullmatch(any_id))
    return short and any(trace.ids.get(kind, "").startswith(any_id) for kind in ("commit", "data"))


def _facts(trace: Trace) -> dict[str, str]:
    """What one tracking run or model version has only one of, as keys that are written once."""
    return {
        f"{PREFIX}:fact:{anchor}:{trace.ids[anchor]}:{kind}": value
        for anchor, kinds in (
            ("tracking_run", ("pipeline_run", "data", "commit")),
            ("model", ("tracking_run", "pipeline_run", "data", "commit")),
        )
        for kind, value in trace.ids.items()
        if anchor in trace.ids and kind in kinds
    }


def _trace_key(name: str) -> str:
    return f"{PREFIX}:trace:{name}"


def _index(kind: str, value: str) -> str:
    return f"{PREFIX}:by:{kind}:{value}"


def _short(value: str) -> str:
    return f"{PREFIX}:by:short:{value[:_SHORT]}"


def _key(side: str, run: str) -> str:
    return f"{PREFIX}:{side}:{run}"


def _keys(pair: Pair) -> list[str]:
    return [_key("pipeline", pair.pipeline_run), _key("tracking", pair.tracking_run)]


def _pair(text: str | None) -> Pair | None:
    if text is None:
        return None
    try:
        read = json.loads(text)
        return Pair(pipeline_run=read["pipeline_run"], tracking_run=read["tracking_run"])
    except (ValueError, KeyError, TypeError) as error:
        raise OperationFailed(
            "a lineage key was not written by this program", where=text[:80]
        ) from error
