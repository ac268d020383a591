"""One model's mistake costs that model alone."""

from __future__ import annotations

import datetime
import json
from collections.abc import Mapping
from typing import Any

import pytest
from prometheus_client import CollectorRegistry, generate_latest

from mlops_infra.errors import InputError, OperationFailed
from mlops_infra.lifecycle.triggers.controller import Controller
from mlops_infra.lifecycle.triggers.declared import DataSource, DeclaredModel, read
from mlops_infra.lifecycle.triggers.metrics import Figures
from mlops_infra.lifecycle.triggers.rules import Decision

MISTAKES: list[tuple[dict[str, Any], str]] = [
    ({"retrain": {"schedule": "0 3 * * 7"}}, "day of week 7"),
    ({"retrain": {"schedule": "0 0 31 2 *"}}, "never comes"),
    ({"retrain": {"schedule": 3}}, "'int'"),
    ({"retrain": {"timezone": "Asia/Soul"}}, "no such time zone"),
    ({"retrain": {"coolDown": "soon"}}, "not a duration"),
    ({"retrain": {"windows": [{"days": ["someday"]}]}}, "not in tuple"),
    ({"retrain": {"windows": [{"opens": "25:00"}]}}, "hour"),
    ({"retrain": {"newData": {"minObjects": "x"}}}, "invalid literal"),
    ({"retrain": []}, "has no attribute"),
    ({"parameters": 3}, "not iterable"),
    ({"pipeline": None, "drop": "pipeline"}, "'pipeline' is missing"),
]


def body(tenant: str, **more: Any) -> dict[str, Any]:
    made = {"tenant": tenant, "name": "wine", "namespace": f"tenant-{tenant}", "pipeline": "p"}
    made |= more
    if "drop" in made:
        del made[made.pop("drop")]
    return made


@pytest.mark.parametrize(("mistake", "reason"), MISTAKES)
def test_a_declaration_with_a_mistake_is_left_out_with_its_reason(
    mistake: dict[str, Any], reason: str
) -> None:
    text = json.dumps({"models": [body("a"), body("b", **mistake), body("c")]})
    good, refused = read(text, "models.json")
    assert [each.id for each in good] == ["a/wine", "c/wine"]
    assert [each.id for each in refused] == ["b/wine"]
    assert reason in refused[0].reason


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"models": [{}]}', '{"models": 3}'])
def test_what_is_no_list_of_models_stops_the_start(text: str) -> None:
    with pytest.raises(InputError, match="not a list of declared models"):
        read(text, "models.json")


class FakeLedger:
    """Keeps nothing; looks at once."""

    def __init__(self) -> None:
        self.claimed: list[str] = []

    def observe(self, _model: DeclaredModel, _trigger: str, look: Any) -> None:
        look(None)

    def claim(self, model: DeclaredModel, _now: datetime.datetime) -> Decision:
        self.claimed.append(model.id)
        return Decision(None)

    def open_claims(self) -> list[Any]:
        return []

    def running(self) -> list[Any]:
        return []

    def connect(self) -> Any:
        raise OperationFailed("no database")


class FakeSensors:
    def __init__(self, faults: Mapping[str, Exception]) -> None:
        self._faults = faults

    def objects(self, source: DataSource) -> list[Any]:
        if source.bucket in self._faults:
            raise self._faults[source.bucket]
        return []


def controller(faults: Mapping[str, Exception]) -> tuple[Controller, FakeLedger]:
    documents = [
        body(name, bucket=name, retrain={"newData": {"bucket": name}}) for name in ("a", "b", "c")
    ]
    documents.append(body("d", retrain={"timezone": "nowhere"}))
    good, refused = read(json.dumps({"models": documents}), "models.json")
    ledger = FakeLedger()
    sensors: Any = FakeSensors(faults)
    made = Controller(good, ledger, None, None, sensors, refused=refused)  # type: ignore[arg-type]
    return made, ledger


@pytest.mark.parametrize("fault", [OperationFailed("away"), KeyError("x"), OverflowError("date")])
def test_a_trigger_that_fails_costs_no_other_model_its_tick(fault: Exception) -> None:
    made, ledger = controller({"a": fault})
    made.tick()
    assert ledger.claimed == ["a/wine", "b/wine", "c/wine"]
    assert made.errors == {"a/wine/new-data": 1}
    assert made.last_tick is not None


def test_a_refused_declaration_is_in_the_metrics_and_told_to_whoever_asks() -> None:
    made, ledger = controller({})
    with pytest.raises(InputError, match="no such time zone"):
        made.model("d", "wine")
    registry = CollectorRegistry()
    registry.register(Figures(ledger.connect, made))
    text = generate_latest(registry).decode()
    assert 'mlops_infra_declaration_refused{model="wine",reason="no such time zone' in text
