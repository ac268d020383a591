"""Adds features to living feature groups.

The provider can change the list of features only by deleting the group with all its data
(terraform-provider-aws issue 36784). SageMaker itself adds features in place (UpdateFeatureGroup)
and takes none away, so the program ignores later changes of the list and this makes them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from mlops_infra.aws.cloud import Cloud
from mlops_infra.aws.waiting import wait
from mlops_infra.errors import OperationFailed
from mlops_infra.progress import Step

AT_ONCE = 100
"""Features that one call takes."""
_SECONDS = 600.0
"""For one update; those of the documentation take a minute or two."""


@dataclass(frozen=True, slots=True)
class WantedGroup:
    """A feature group as the configuration has it: name, and type by feature."""

    name: str
    features: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Additions:
    """What a living group lacks, and what no call can mend."""

    group: str
    missing: tuple[tuple[str, str], ...] = ()
    """Name and type, in the order of the configuration."""
    conflicts: tuple[str, ...] = ()
    """Features whose type was to change, as sentences."""
    left_over: tuple[str, ...] = ()
    """Features that nobody asks for any more, as sentences; they stay."""


def look(cloud: Cloud, groups: Iterable[WantedGroup]) -> list[Additions]:
    """Compare each group that exists with what is wanted of it; groups that are alike are left out.

    Raises:
        MlopsError: see `Cloud.call`.
    """
    found = []
    for group in groups:
        living = _features(cloud, group.name)
        if living is None:
            continue  # the first `up` makes it whole
        missing = tuple(each for each in group.features.items() if each[0] not in living)
        conflicts, left = tuple(_other_types(group, living)), tuple(_left_over(group, living))
        if missing or conflicts or left:
            found.append(Additions(group.name, missing, conflicts, left))
    return found


def add(cloud: Cloud, additions: Additions, work: Step | None = None) -> None:
    """Add what is missing, and wait until SageMaker has done it.

    Raises:
        OperationFailed: SageMaker gave up, or took too long.
        MlopsError: see `Cloud.call`.
    """
    for start in range(0, len(additions.missing), AT_ONCE):
        part = additions.missing[start : start + AT_ONCE]
        _settle(cloud, additions.group, work)  # a group that is being updated refuses the next
        cloud.call(
            "sagemaker",
            "update_feature_group",
            FeatureGroupName=additions.group,
            FeatureAdditions=[{"FeatureName": n, "FeatureType": t} for n, t in part],
        )
        _settle(cloud, additions.group, work)
        _refuse_failed(cloud, additions.group)


def _features(cloud: Cloud, name: str) -> dict[str, str] | None:
    """Type by feature of the living group; None where there is none."""
    found: dict[str, str] = {}
    more: dict[str, str] = {}
    while True:
        told = cloud.find("sagemaker", "describe_feature_group", FeatureGroupName=name, **more)
        if told is None:
            return None
        found |= {f["FeatureName"]: f["FeatureType"] for f in told["FeatureDefinitions"]}
        if not told.get("NextToken"):
            return found
        more = {"NextToken": told["NextToken"]}


def _other_types(group: WantedGroup, living: Mapping[str, str]) -> list[str]:
    return [
        f"feature {name} of {group.name} is {living[name]}, not {kind}: a type cannot change"
        for name, kind in group.features.items()
        if living.get(name, kind) != kind
    ]


def _left_over(group: WantedGroup, living: Mapping[str, str]) -> list[str]:
    return [
        f"feature {name} of {group.name} is no longer configured: SageMaker cannot remove features"
        for name in living
        if name not in group.features
    ]


def _settle(cloud: Cloud, group: str, work: Step | None) -> None:
    """Wait for the end of an update; one that failed before is tried again, not told."""

    def pending() -> list[str]:
        return [group] if _update(cloud, group).get("Status") == "InProgress" else []

    if wait(pending, work, patience=_SECONDS):
        raise OperationFailed(
            f"feature group {group} is still being updated after {_SECONDS:.0f} s",
            where=str(cloud.site),
            hint="run the command again later",
        )


def _refuse_failed(cloud: Cloud, group: str) -> None:
    told = _update(cloud, group)
    if told.get("Status") == "Failed":
        raise OperationFailed(
            f"feature group {group} rejected its new features: "
            f"{told.get('FailureReason') or 'AWS gives no reason'}",
            where=str(cloud.site),
            hint="fix the cause, then run up again",
        )


def _update(cloud: Cloud, group: str) -> dict[str, Any]:
    told = cloud.call("sagemaker", "describe_feature_group", FeatureGroupName=group)
    found: dict[str, Any] = told.get("LastUpdateStatus") or {}
    return found
