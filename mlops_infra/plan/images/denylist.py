"""Images that may not be shipped, recognised by their names.

The licence gate reads the catalog; an image that somebody names by hand is not in it. These are the
ones that people reach for, each with the reason and with what takes its place.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from mlops_infra.catalog import matches


@dataclass(frozen=True, slots=True)
class Denied:
    """Why an image is refused."""

    spdx: str
    reason: str
    alternative: str


@dataclass(frozen=True, slots=True)
class _Rule:
    path: re.Pattern[str]
    """Of the repository, without registry and tag."""
    versions: str
    denied: Denied


def _rule(path: str, versions: str, spdx: str, reason: str, alternative: str) -> _Rule:
    return _Rule(re.compile(rf"(^|/){path}"), versions, Denied(spdx, reason, alternative))


_RULES = (
    _rule(
        r"bitnami(legacy|secure|charts)?/",
        "*",
        "LicenseRef-Bitnami",
        "Bitnami's images are under commercial terms and may not be passed on",
        "the image of the project itself, which is this kit's default",
    ),
    _rule(
        r"minio/",
        "*",
        "AGPL-3.0-only",
        "MinIO is under the AGPL and its project was archived in 2026",
        "stores.object.engine: versitygw or seaweedfs",
    ),
    _rule(
        r"redis(/redis(-stack[a-z-]*)?)?$",
        ">=7.4",
        "LicenseRef-RSALv2 OR SSPL-1.0",
        "Redis 7.4 and later is source-available, not open source",
        "stores.kv.engine: valkey",
    ),
    _rule(
        r"seldonio/(seldon-core-|seldonv2-|.*-server)",
        ">=1.18",
        "BUSL-1.1",
        "Seldon Core 1.18 and later is under the Business Source License",
        "components.kserve, or Seldon Core 1.17.1",
    ),
    _rule(
        r"seldonio/(alibi|seldon-.*v2)",
        "*",
        "BUSL-1.1",
        "this part of Seldon is under the Business Source License",
        "components.kserve and Evidently",
    ),
)


def denied(reference: str) -> Denied | None:
    """Why the image `reference` may not be shipped; None where nothing is known against it.

    A tag that is no version counts as the newest one.
    """
    name = reference.partition("@")[0]
    path, colon, tag = name.rpartition(":")
    if not colon or "/" in tag:
        path, tag = name, ""
    for rule in _RULES:
        if rule.path.search(path) and _within(tag, rule.versions):
            return rule.denied
    return None


def _within(tag: str, versions: str) -> bool:
    version = re.match(r"v?([0-9]+(\.[0-9]+)*)", tag)
    return version is None or matches(version[1], versions)
