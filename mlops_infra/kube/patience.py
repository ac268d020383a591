"""Which of the troubles that are seen again and again have lasted longer than they may."""

from __future__ import annotations

import time
from collections.abc import Iterable

from mlops_infra.kube.verdict import Trouble


class Patience:
    """Remembers when each trouble was first seen; for one wait."""

    def __init__(self) -> None:
        self._since: dict[str, float] = {}

    def over(self, seen: Iterable[Trouble]) -> list[Trouble]:
        """Those of all that is seen now that have lasted too long, those beyond hope first."""
        now = time.monotonic()
        current = {each.key: each for each in seen}
        self._since = {key: self._since.get(key, now) for key in current}
        lasting = [e for key, e in current.items() if now - self._since[key] >= e.grace]
        return sorted(lasting, key=lambda each: each.grace)
