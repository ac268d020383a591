"""`licences.json`: what is carried, and the mildest policy of the gate that takes it. Pure."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import Any, Literal

from offline_bundle.model import Found, Lock

Policy = Literal["permissive", "commercial", "any", "unread"]


def report(lock: Lock) -> bytes:
    """The bytes of `licences.json`."""
    document = {"stack": lock.stack, "items": list(_rows(lock))}
    return (json.dumps(document, indent=1, sort_keys=True, ensure_ascii=False) + "\n").encode()


def policy(licence: str | None) -> Policy:
    """The mildest policy of the gate that takes a licence; `unread` where none is stated."""
    if not licence:
        return "unread"
    # the rooms of configuration and plan take 0.3 s to load, a bundle of additions needs neither
    from mlops_infra.config import LicenceConfig
    from mlops_infra.plan.gates.licence import passes

    if passes(licence, LicenceConfig(policy="permissive"), ""):
        return "permissive"
    return "commercial" if passes(licence, LicenceConfig(policy="commercial"), "") else "any"


def _rows(lock: Lock) -> Iterator[dict[str, Any]]:
    for image in lock.images:
        yield _row("image", image.reference, image.digest, image.licence, image.found)
    for file in lock.files:
        yield _row(file.kind, file.name, file.version, file.licence, file.found)


def _row(
    kind: str, name: str, version: str, licence: str | None, found: Iterable[Found]
) -> dict[str, Any]:
    return {
        "kind": kind,
        "name": name,
        "version": version,
        "licence": licence,
        "policy": policy(licence),
        "found": sorted({place.where for place in found}),
    }
