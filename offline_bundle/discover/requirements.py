"""Which pins of `requirements.lock` a machine of the closed side installs. Pure.

The lock is universal: it holds every extra, platform and Python. Its comments say who asked for
what; from the program's own requirements on, they lead to what is needed.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from mlops_infra.errors import OperationFailed

_PIN = re.compile(r"^([A-Za-z0-9._-]+)(?:\[[^\]]*\])?==([^ ;\\]+)\s*(?:;\s*(.*?))?\s*\\?$")
_HASH = re.compile(r"--hash=sha256:([0-9a-f]{64})")
_VIA = re.compile(r"^\s+#(?:\s+via)?\s+(\S.*)$")


@dataclass(frozen=True, slots=True)
class Pinned:
    """One line of the lock."""

    name: str
    """Normalised."""
    version: str
    marker: str | None
    hashes: frozenset[str]
    """Hex digits of SHA-256."""
    via: frozenset[str]
    """Projects that ask for it, normalised; the program itself as `mlops-infra`."""


def read(text: str) -> tuple[Pinned, ...]:
    """Read what `uv pip compile --generate-hashes` has written."""
    found: list[Pinned] = []
    block: list[str] = []
    for line in [*text.splitlines(), "end==0"]:
        if _PIN.match(line) and block:
            found.append(_pinned(block))
            block = []
        if not line.startswith("#"):
            block.append(line)
    return tuple(found)


def chosen(
    pins: Iterable[Pinned],
    own: Iterable[str],
    extras: Iterable[str],
    environment: Mapping[str, str],
) -> tuple[Pinned, ...]:
    """The pins that the program with `extras` needs in `environment`, sorted by name.

    Args:
        pins: of the lock.
        own: requirements of the program, as its metadata has them (`click>=8; extra == "x"`).
        extras: of the program.
        environment: markers of the target, `python_version` and so on.

    Raises:
        OperationFailed: the lock lacks what the program asks for.
    """
    usable = {pin.name: pin for pin in pins if _holds(pin.marker, environment)}
    asked_by: dict[str, set[str]] = defaultdict(set)
    for pin in usable.values():
        for parent in pin.via:
            asked_by[parent].add(pin.name)
    waiting = list(_roots(own, tuple(extras), environment))
    lacking = sorted(set(waiting) - set(usable))
    if lacking:
        hint = "make lock, in a checkout of the program"
        raise OperationFailed(f"requirements.lock lacks {', '.join(lacking)}", hint=hint)
    needed: set[str] = set()
    while waiting:
        name = waiting.pop()
        if name not in needed:
            needed.add(name)
            waiting += sorted(asked_by[name] - {"mlops-infra"})
    return tuple(usable[name] for name in sorted(needed))


def _roots(
    own: Iterable[str], extras: tuple[str, ...], environment: Mapping[str, str]
) -> list[str]:
    found: list[str] = []
    for text in own:
        requirement = Requirement(text)
        environments = [{**environment, "extra": extra} for extra in ("", *extras)]
        if requirement.marker is None or any(map(requirement.marker.evaluate, environments)):
            found.append(canonicalize_name(requirement.name))
    return found


def _pinned(block: list[str]) -> Pinned:
    head = _PIN.match(block[0])
    assert head is not None  # noqa: S101  `read` has looked
    via = [match[1] for line in block[1:] if (match := _VIA.match(line))]
    return Pinned(
        name=canonicalize_name(head[1]),
        version=head[2],
        marker=head[3] or None,
        hashes=frozenset(_HASH.findall("\n".join(block))),
        # a list of parents stands below a line with the bare word `via`
        via=frozenset(canonicalize_name(each.split(" ")[0]) for each in via if each != "via"),
    )


def _holds(marker: str | None, environment: Mapping[str, str]) -> bool:
    return marker is None or Requirement(f"x ; {marker}").marker.evaluate(dict(environment))  # type: ignore[union-attr]
