"""Which packages a list of packages needs: a small resolver for a fixed, curated set.

It takes the first alternative that is wanted already or can be had, knows virtual packages, and
never backtracks: a recipe that needs more says so by naming the package or leaving one out.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from typing import Protocol

from mlops_infra.errors import InputError
from mlops_infra.images.debian_index import Offer
from mlops_infra.images.debian_versions import satisfies
from mlops_infra.images.locks import Package


class Offers(Protocol):
    """Where packages come from: `debian_index.Index`, or a stand-in."""

    def get(self, name: str) -> Offer | None:
        """The newest offer of a package."""

    def providers(self, virtual: str) -> list[str]:
        """Names of packages that provide a virtual one."""


def resolve(
    wanted: Iterable[str],
    offers: Offers,
    *,
    without: Collection[str] = (),
    installed: Iterable[str] = (),
) -> tuple[Package, ...]:
    """`wanted` and all that they need, sorted by name.

    Args:
        wanted: names of packages.
        offers: the index.
        without: names whose dependency is taken as met.
        installed: names that a base already holds.

    Raises:
        InputError: a package is not offered, or a relation cannot be met.
    """
    chosen: dict[str, Offer] = {}
    have = set(installed)
    virtual = {v for name in have if (o := offers.get(name)) for v in _provided(o)}
    queue = list(wanted)
    while queue:
        name = queue.pop(0)
        if name in chosen or name in have:
            continue
        offer = offers.get(name)
        if offer is None:
            raise InputError(
                f"no package '{name}' in the suite",
                hint="find its name in this suite, or exclude it with `without:`",
            )
        chosen[name] = offer
        virtual.update(_provided(offer))
        for clause in filter(None, map(str.strip, offer.depends.split(","))):
            met = {*chosen, *have, *virtual, *without, *queue}
            found = _choose(clause, offers, met, needed_by=name)
            if found is not None:
                queue.append(found)
    return tuple(chosen[name].package for name in sorted(chosen))


def _provided(offer: Offer) -> Iterator[str]:
    return filter(None, (_name(part) for part in offer.provides.split(",")))


def _name(relation: str) -> str:
    return relation.split("(")[0].split("[")[0].strip().partition(":")[0]


def _choose(clause: str, offers: Offers, met: Collection[str], *, needed_by: str) -> str | None:
    alternatives = [part.strip() for part in clause.split("|")]
    if any(_name(part) in met for part in alternatives):
        return None
    for part in alternatives:
        offer = offers.get(_name(part))
        if offer is not None and satisfies(offer.package.version, part):
            return _name(part)
        providers = offers.providers(_name(part))
        if any(provider in met for provider in providers):
            return None
        if providers:
            return providers[0]
    raise InputError(
        f"'{needed_by}' needs '{clause}', which the suite does not have",
        hint="use another package in the recipe, or exclude it with `without:`",
    )
