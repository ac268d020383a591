"""Which items of a bundle the licence gate of a stack does not take. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from mlops_infra.config import LicenceConfig
from mlops_infra.plan.gates.licence import passes

_COMPONENT = re.compile(r"plan: ([^/]+)/")
"""Of the places that ask for an image: `plan: grafana/server, pulled at its start`."""


def refused(rows: Iterable[Mapping[str, Any]], gate: LicenceConfig) -> list[str]:
    """Name and licence of every row of `licences.json` that `gate` does not take.

    What states no licence is refused by every policy but `any`: somebody has to read it.
    """
    return [
        f"{row['name']}: {row['licence'] or 'none stated'}" for row in rows if not _taken(row, gate)
    ]


def _taken(row: Mapping[str, Any], gate: LicenceConfig) -> bool:
    if gate.policy == "any":
        return True
    asking = {match[1] for place in row["found"] if (match := _COMPONENT.match(place))}
    if asking and asking <= set(gate.accept):
        return True
    return bool(row["licence"]) and passes(row["licence"], gate, row["name"])
