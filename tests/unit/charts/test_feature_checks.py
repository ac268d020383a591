"""Mistakes in a request for features, told before Feast sees them."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from mlops_infra import places
from tests.unit.charts.files import loaded

checks = loaded(places.project() / "charts" / "feast" / "files" / "checks.py")


def column(name: str, kind: str = "INT64") -> Any:
    value_type = SimpleNamespace(name=kind)
    return SimpleNamespace(name=name, dtype=SimpleNamespace(to_value_type=lambda: value_type))


class FakeStore:
    """A registry of three views."""

    def __init__(self) -> None:
        self.reads = 0
        self.views = [
            SimpleNamespace(
                name="machines", features=[column("load")], entity_columns=[column("machine_id")]
            ),
            SimpleNamespace(
                name="sites",
                features=[column("heat")],
                entity_columns=[column("site", "STRING"), column("floor", "INT32")],
            ),
            SimpleNamespace(
                name="all", features=[column("x")], entity_columns=[column("__dummy_id", "STRING")]
            ),
        ]

    def list_feature_views(self, allow_cache: bool) -> list[Any]:
        self.reads += allow_cache
        return self.views

    def list_on_demand_feature_views(self, allow_cache: bool) -> list[Any]:
        return [SimpleNamespace(name="sums", features=[column("total")])] if allow_cache else []


@pytest.mark.parametrize(
    ("features", "entities"),
    [
        (["machines:load"], {"machine_id": [1, 2, -1, 3.0]}),
        (["machines@v2:load", "sums:total"], {"machine_id": [1], "val_to_add": ["any"]}),
        (["sites:heat"], {"site": ["요청"], "floor": [2**31 - 1]}),
        (["all:x"], {}),
    ],
)
def test_good_requests_pass(features: list[str], entities: dict[str, list[Any]]) -> None:
    checks.Known(FakeStore()).check(features, entities)


@pytest.mark.parametrize(
    ("features", "entities", "status", "told"),
    [
        (["machines:load"], {"machine_id": []}, 422, "no rows"),
        (["machines:load"], {"machine_id": [1, None]}, 422, "row 1: it is missing"),
        (["machines:load"], {"machine_id": ["x"]}, 422, "'x' is not a whole number"),
        (["machines:load"], {"machine_id": [1.5]}, 422, "1.5 is not a whole number"),
        (["machines:load"], {"machine_id": [True]}, 422, "True is not a whole number"),
        (["machines:load"], {"machine_id": [float("nan")]}, 422, "not a whole number"),
        (["machines:load"], {"machine_id": [2**63]}, 422, "does not fit in INT64"),
        (["machines:load"], {}, 422, "needs the key machine_id"),
        (["machines:load"], {"machine_id": [1], "site": ["a", "b"]}, 422, "differ in rows"),
        (["machines:load"], {"machine_id": [1] * 100_001}, 413, "at most 100000 rows"),
        (["sites:heat"], {"site": [5], "floor": [1]}, 422, "5 is not a text"),
        (["sites:heat"], {"site": ["\ud83d"], "floor": [1]}, 422, "half of a surrogate pair"),
        (["sites:heat"], {"site": ["a"], "floor": [2**31]}, 422, "does not fit in INT32"),
        (["x"], {"machine_id": [1]}, 422, "'x' is not a feature"),
        (["machines:nosuch"], {"machine_id": [1]}, 422, "has no feature 'nosuch'; it has load"),
        (["nosuch:x"], {"machine_id": [1]}, 404, "no such feature view"),
    ],
)
def test_each_mistake_is_told_with_a_reason(
    features: list[str], entities: dict[str, list[Any]], status: int, told: str
) -> None:
    with pytest.raises(checks.Refusal, match=told) as caught:
        checks.Known(FakeStore()).check(features, entities)
    assert caught.value.status == status


def test_a_view_that_was_applied_meanwhile_is_known_and_the_others_are_not_read_each_time() -> None:
    store = FakeStore()
    known = checks.Known(store)
    for _ in range(5):
        known.check(["machines:load"], {"machine_id": [1]})
    assert store.reads == 1
    store.views.append(SimpleNamespace(name="new", features=[column("y")], entity_columns=[]))
    known.check(["new:y"], {})
