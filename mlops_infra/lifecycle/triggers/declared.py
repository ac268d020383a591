"""The declared models as the controller reads them: one JSON document made by the plan."""

from __future__ import annotations

import datetime
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from mlops_infra import contract
from mlops_infra.config.language import cron, schedules
from mlops_infra.errors import InputError, MlopsError
from mlops_infra.lifecycle.triggers.rules import Policy, Window
from mlops_infra.lifecycle.triggers.signals import Bounds

ENGINES = ("argo", "kfp")
_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}


@dataclass(frozen=True, slots=True)
class DataSource:
    """A part of a bucket that new data comes to."""

    bucket: str
    prefix: str
    settle: datetime.timedelta
    min_objects: int


@dataclass(frozen=True, slots=True)
class RefusedModel:
    """A declaration that cannot be used; the others are not touched by it."""

    tenant: str
    name: str
    reason: str

    @property
    def id(self) -> str:
        """`tenant/model`."""
        return f"{self.tenant}/{self.name}"


@dataclass(frozen=True, slots=True)
class DeclaredModel:
    """One model of a tenant and what makes it be trained again."""

    tenant: str
    name: str
    namespace: str
    pipeline: str
    parameters: Mapping[str, str] = field(default_factory=dict)
    policy: Policy = field(default_factory=Policy)
    cron: cron.Cron | None = None
    data: DataSource | None = None
    metric: Bounds | None = None
    metric_source: str = "mlflow"
    drift: bool = False
    engine: str = "argo"
    """What its trainings run on: argo or kfp."""

    @property
    def id(self) -> str:
        """`tenant/model`."""
        return f"{self.tenant}/{self.name}"


def duration(text: str) -> datetime.timedelta:
    """`90s`, `30m`, `2h` or `7d`.

    Raises:
        InputError: it is none of these.
    """
    match = re.fullmatch(r"([1-9][0-9]{0,6})([smhd])", text)
    if match is None:
        raise InputError(f"'{text}' is not a duration", hint="for example 90s, 30m, 2h or 7d")
    return datetime.timedelta(**{_UNITS[match[2]]: int(match[1])})


def read(text: str, where: str) -> tuple[tuple[DeclaredModel, ...], tuple[RefusedModel, ...]]:
    """The models of the document that the plan made, `{"models": [...]}`, and those with a mistake.

    `check` finds mistakes before they come here. One that comes all the same, for example from an
    older release, costs its own model alone: the others are those of other tenants.

    Raises:
        InputError: it is not that document.
    """
    try:
        bodies = list(json.loads(text)["models"])
        names = [(str(body["tenant"]), str(body["name"])) for body in bodies]
    except (ValueError, KeyError, TypeError) as error:
        raise InputError(f"not a list of declared models: {error!r}", where=where) from error
    good, refused = [], []
    for body, (tenant, name) in zip(bodies, names, strict=True):
        try:
            good.append(_model(body))
        except MlopsError as error:
            refused.append(RefusedModel(tenant, name, error.what))
        except KeyError as error:
            refused.append(RefusedModel(tenant, name, f"{error} is missing"))
        except (ValueError, TypeError, AttributeError, ArithmeticError) as error:
            refused.append(RefusedModel(tenant, name, str(error)))
    return tuple(good), tuple(refused)


def _model(body: Mapping[str, Any]) -> DeclaredModel:
    retrain = body.get("retrain", {})
    return DeclaredModel(
        tenant=body["tenant"],
        name=body["name"],
        namespace=body["namespace"],
        pipeline=body["pipeline"],
        parameters=dict(body.get("parameters", {})),
        policy=Policy(
            duration(retrain.get("coolDown", "1h")),
            tuple(_window(each) for each in retrain.get("windows", ())),
            schedules.zone(retrain.get("timezone", "UTC")),
        ),
        cron=cron.parse(retrain["schedule"]) if retrain.get("schedule") else None,
        data=_data(
            retrain.get("newData"), body.get("bucket") or contract.tenant_namespace(body["tenant"])
        ),
        metric=_bounds(retrain.get("metricDrop")),
        metric_source=(retrain.get("metricDrop") or {}).get("source", "mlflow"),
        drift=bool(retrain.get("drift")),
        engine=_engine(body.get("pipelineEngine", "argo")),
    )


def _engine(name: str) -> str:
    if name not in ENGINES:
        raise InputError(f"no such engine: '{name}'", hint=f"there are: {', '.join(ENGINES)}")
    return name


def _window(body: Mapping[str, Any]) -> Window:
    days = frozenset(_DAYS.index(day) for day in body.get("days", _DAYS))
    opens = datetime.time.fromisoformat(body.get("opens", "00:00"))
    closes = datetime.time.fromisoformat(body.get("closes", "00:00"))
    return Window(days, opens, closes)


def _data(body: Mapping[str, Any] | None, own_bucket: str) -> DataSource | None:
    if body is None:
        return None
    return DataSource(
        bucket=body.get("bucket") or own_bucket,
        prefix=body.get("prefix", ""),
        settle=duration(body.get("settle", "1m")),
        min_objects=int(body.get("minObjects", 1)),
    )


def _bounds(body: Mapping[str, Any] | None) -> Bounds | None:
    if body is None:
        return None
    return Bounds(body["metric"], body.get("below"), body.get("above"), body.get("drop"))
