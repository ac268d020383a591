"""Feature groups around an `up`: some changes are refused before it, others are made after it."""

from __future__ import annotations

from collections.abc import Iterable

from mlops_infra.aws import Cloud
from mlops_infra.aws.feature_additions import Additions, WantedGroup, add, look
from mlops_infra.engine.prepare import Asked
from mlops_infra.errors import InputError
from mlops_infra.plan.aws.names import names_of
from mlops_infra.progress import Sink, step


def wanted(want: Asked) -> tuple[WantedGroup, ...]:
    """The feature groups of the configuration, by the names that they have on AWS."""
    if want.config.aws is None:
        return ()
    names = names_of(want.config, want.stack)
    return tuple(
        WantedGroup(names.of("feature-group", name), {f.name: f.type for f in group.features})
        for name, group in want.config.aws.features.items()
    )


def compared(cloud: Cloud, groups: tuple[WantedGroup, ...]) -> list[Additions]:
    """What living groups lack.

    Raises:
        InputError: a feature was to change its type; SageMaker has no call for that.
        MlopsError: see `Cloud.call`.
    """
    found = look(cloud, groups)
    conflicts = [each for additions in found for each in additions.conflicts]
    if conflicts:
        raise InputError(
            "; ".join(conflicts),
            where="aws.features",
            hint="add a feature with another name instead",
        )
    return found


def add_all(cloud: Cloud, additions: Iterable[Additions], sink: Sink) -> None:
    """Add to each group in place what it lacks; the data that it has stays.

    Raises:
        OperationFailed: SageMaker gave up.
        MlopsError: see `Cloud.call`.
    """
    for each in additions:
        if each.missing:
            with step(sink, f"Adding features to {each.group}") as work:
                add(cloud, each, work)
                work.end("done", ", ".join(name for name, _ in each.missing))


def notes(additions: Iterable[Additions], *, done: bool) -> tuple[str, ...]:
    """What a reader must know of it; `done` after an `up`."""
    said = []
    for each in additions:
        if each.missing:
            names = ", ".join(f"{name} ({kind})" for name, kind in each.missing)
            verb = "got" if done else "would get"
            said.append(f"feature group {each.group} {verb} {names}, in place")
        said += each.left_over
    return tuple(said)
