"""The order of installation."""

from __future__ import annotations

import heapq
from collections.abc import Mapping

Edges = Mapping[str, tuple[str, ...]]


def in_order(needs: Edges) -> list[str]:
    """Needs first; where the needs leave a choice, by name, so that plans compare.

    What waits in a circle is left out.
    """
    waiting = {name: {n for n in found if n in needs} for name, found in needs.items()}
    ready = [name for name, found in waiting.items() if not found]
    heapq.heapify(ready)
    order: list[str] = []
    while ready:
        done = heapq.heappop(ready)
        order.append(done)
        for name, left in waiting.items():
            if done in left:
                left.discard(done)
                if not left:
                    heapq.heappush(ready, name)
    return order


def with_wishes(needs: Edges, wishes: Edges) -> tuple[dict[str, tuple[str, ...]], Edges]:
    """The needs with every wish that closes no circle, and the wishes that would."""
    taken = dict(needs)
    later: dict[str, tuple[str, ...]] = {}
    for name in sorted(wishes):
        for wished in wishes[name]:
            if wished in taken.get(name, ()):
                continue
            if wished == name or _reaches(taken, wished, name):
                later[name] = (*later.get(name, ()), wished)
            else:
                taken[name] = (*taken.get(name, ()), wished)
    return taken, later


def _reaches(edges: Edges, start: str, end: str) -> bool:
    seen: set[str] = set()
    waiting = [start]
    while waiting:
        name = waiting.pop()
        if name == end:
            return True
        if name not in seen:
            seen.add(name)
            waiting += edges.get(name, ())
    return False
