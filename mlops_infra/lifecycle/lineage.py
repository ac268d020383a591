"""Leads from a pipeline's run to the tracking run it made, and back.

Both directions are written in one step or not at all, and a pair once written is never changed: a
question asked a year later must get the answer of today.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Protocol

from mlops_infra.errors import InputError, OperationFailed

PREFIX = "mlops-infra:lineage"
_RUN_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:/-]{0,199}")


class KeyValue(Protocol):
    """The part of a key-value store that lineage needs."""

    def get_many(self, keys: Sequence[str]) -> list[str | None]:
        """The values of `keys`, None for each that is absent."""

    def set_all_if_absent(self, values: Mapping[str, str]) -> bool:
        """Write all in one step unless one of the keys exists; whether it wrote."""

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
                    f"'{value}' is no id of a {what} run",
                    hint="1 to 200 letters, digits and . _ : / -, a letter or digit first",
                )


class Lineage:
    """The pairs that one key-value store holds."""

    def __init__(self, store: KeyValue) -> None:
        self._store = store

    def link(self, pair: Pair) -> None:
        """Record `pair`; to record it again is no mistake.

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
            "a lineage key holds something that this program did not write", where=text[:80]
        ) from error
