"""Asks registries whether they have an image: one HEAD on its manifest, remembered."""

from __future__ import annotations

import concurrent.futures
import http.client
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from mlops_infra.errors import MlopsError
from mlops_infra.images.answers import Remembered, remember
from mlops_infra.transport import HttpError
from mlops_infra.transport.retrying import TRANSIENT, persist
from offline_bundle.pull.mirrors import Mirrors
from offline_bundle.references import Reference
from offline_bundle.registry import Registries

_SECONDS = 10.0
"""Without a byte for so long a registry counts as one that cannot be reached."""
_ATTEMPTS = 2
_NOT_LET_IN = frozenset({401, 403, 407})
"""Statuses of a login that is missing or wrong: with another one the answer may be another."""


def ask(
    references: Iterable[str], mirrors: Mirrors, known: Mapping[str, Remembered]
) -> dict[str, Remembered]:
    """Ask about all images that nothing is known of, and remember the answers, which are returned.

    An answer counts until the image is taken from somewhere else. A registry that could not be
    reached, or did not let us in, is asked again each time. Where it is not reached, the first
    image speaks for the others.

    Args:
        references: of images, as the plan names them.
        mirrors: how they are reached.
        known: what was remembered; empty to ask about all of them.
    """
    sources = {each: mirrors.source(each) for each in dict.fromkeys(references)}
    hosts: dict[str, list[tuple[str, Reference]]] = {}
    found: dict[str, Remembered] = {}
    for reference, source in sources.items():
        before = known.get(reference)
        if source is None:
            found[reference] = Remembered(False, "the network is closed", "", final=False)
        elif not (before and before.final and before.source == str(source)):
            hosts.setdefault(source.host, []).append((reference, source))
    settings = replace(mirrors.settings, silence=_SECONDS)
    with (
        Registries(settings) as registries,
        concurrent.futures.ThreadPoolExecutor(max(1, len(hosts))) as pool,
    ):
        for part in pool.map(lambda images: _one_host(images, registries), hosts.values()):
            found |= part
    if found:
        remember(found)
    return found


def _one_host(
    images: Sequence[tuple[str, Reference]], registries: Registries
) -> dict[str, Remembered]:
    found: dict[str, Remembered] = {}
    lost: Remembered | None = None
    for reference, source in images:
        answer, reached = (lost, False) if lost else _answer(source, registries)
        found[reference] = replace(answer, source=str(source))
        lost = None if reached else answer
    return found


def _answer(source: Reference, registries: Registries) -> tuple[Remembered, bool]:
    """What the registry says of an image, and whether it was reached."""
    registry = registries[source.host]
    try:
        digest = persist(lambda: registry.resolve(source.path, source.target), attempts=_ATTEMPTS)
    except (MlopsError, OSError, http.client.HTTPException) as error:
        status = error.status if isinstance(error, HttpError) else None
        if status in _NOT_LET_IN:
            why = f"{source.host} refuses it ({status}): docker login {source.host}"
            return Remembered(False, why, "", final=False), True
        if status is not None and status not in TRANSIENT:
            return Remembered(False, f"{source.host} refuses it ({status})", "", final=True), True
        told = str(error) or type(error).__name__
        why = f"{source.host} cannot be reached: {told.partition(chr(10))[0]}"
        return Remembered(False, why, "", final=False), False
    if digest is None:
        return Remembered(False, f"{source.host} does not have it", "", final=True), True
    return Remembered(True, f"{source.host} has it", "", final=True), True
