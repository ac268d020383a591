from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlops_infra.kubeprovider.diff import Kind, compare
from mlops_infra.kubeprovider.managers import migrated, owns
from mlops_infra.kubeprovider.objects import AUTONAMED, normalized, refreshed
from mlops_infra.kubeprovider.quantities import parse
from mlops_infra.kubeprovider.settings import Settings

META = {"name": "x", "namespace": "n"}


def changed(old: Any, new: Any, **settings: bool) -> dict[str, tuple[Kind, bool]]:
    found = compare(old, new, {"metadata": META}, Settings(**settings))
    return {c.path: (c.kind, c.replace) for c in found.changes}


def obj(kind: str, api_version: str = "v1", **fields: Any) -> dict[str, Any]:
    return {"apiVersion": api_version, "kind": kind, "metadata": META, **fields}


def test_changes_are_named_by_path_and_kind() -> None:
    old = obj("Deployment", "apps/v1", spec={"replicas": 1, "template": {"c": [{"i": "a"}]}})
    new = obj("Deployment", "apps/v1", spec={"template": {"c": [{"i": "b"}, {}]}, "p.x": True})
    assert changed(old, new) == {
        "spec.replicas": (Kind.DELETE, False),
        "spec.template.c[0].i": (Kind.UPDATE, False),
        "spec.template.c[1]": (Kind.ADD, False),
        'spec["p.x"]': (Kind.ADD, False),
    }


def test_a_secret_given_in_clear_or_encoded_is_the_same() -> None:
    clear, encoded = obj("Secret", stringData={"a": "b"}), obj("Secret", data={"a": "Yg=="})
    assert changed(clear, encoded) == {}
    assert normalized(clear)["data"] == {"a": "Yg=="}


def test_quantities_are_compared_by_meaning() -> None:
    old = obj("Pod", spec={"limits": {"cpu": 1, "memory": "1Gi"}, "text": "1"})
    new = obj("Pod", spec={"limits": {"cpu": "1000m", "memory": "1024Mi"}, "text": "1000m"})
    assert list(changed(old, new)) == ["spec.text"]


@given(st.integers(0, 10**6))
def test_units_of_quantities(number: int) -> None:
    assert parse(f"{number}Ki") == parse(number * 1024)
    assert parse(f"{number}m") == parse(f"{number}e-3")
    assert parse(f"{number}k") == parse(f"{number}000")


@pytest.mark.parametrize(
    ("old", "new", "settings", "replace"),
    [
        (obj("ConfigMap", data={"a": "1"}), obj("ConfigMap", data={"a": "2"}), {}, True),
        (
            obj("ConfigMap", data={"a": "1"}),
            obj("ConfigMap", data={"a": "2"}),
            {"config_map_mutable": True},
            False,
        ),
        (obj("Job", "batch/v1", spec={"template": {"a": 1}}), obj("Job", "batch/v1"), {}, True),
        (obj("Service", spec={"ports": []}), obj("Service", spec={"ports": [1]}), {}, False),
        (
            obj("Pod", spec={"containers": [{"image": "a"}]}),
            obj("Pod", spec={"containers": [{"image": "b"}]}),
            {},
            True,
        ),
        (obj("Thing", "e.com/v1", spec={"a": 1}), obj("Thing", "e.com/v1"), {}, False),
    ],
)
def test_what_replaces(old: Any, new: Any, settings: Any, replace: bool) -> None:
    found = compare(old, new, {"metadata": META}, Settings(**settings))
    assert any(change.replace for change in found.changes) is replace
    assert found.delete_before_replace is replace


def test_the_old_object_goes_first_only_if_it_has_the_name() -> None:
    named = {**META, "annotations": {AUTONAMED: "true"}}
    old = obj("ConfigMap", data={"a": "1"})
    auto = {**obj("ConfigMap", data={"a": "2"}), "metadata": named}
    other = {**obj("ConfigMap"), "metadata": {**META, "name": "y"}}
    live = {"metadata": META}
    assert compare(old, auto, live, Settings()).delete_before_replace is False
    assert compare(old, other, live, Settings()).delete_before_replace is False


def test_naming_the_namespace_an_object_lives_in_changes_nothing() -> None:
    bare = {**obj("ConfigMap"), "metadata": {"name": "x"}}
    assert changed(bare, obj("ConfigMap")) == {}


def test_refresh_keeps_what_the_user_wrote_until_it_moves() -> None:
    inputs = {"cpu": "1", "list": [{"a": "1000m"}], "kept": 1, "gone": 1}
    before = {"cpu": "1000m", "list": [{"a": "1", "default": 0}], "kept": 1, "gone": 1, "own": 2}
    now = {"cpu": "2", "list": [{"a": "1", "default": 5}], "kept": 1, "own": 3}
    assert refreshed(inputs, before, now) == {"cpu": "2", "list": [{"a": "1000m"}], "kept": 1}


def test_fields_of_the_official_create_are_handed_over() -> None:
    created = {
        "manager": "pulumi-kubernetes",
        "operation": "Update",
        "fieldsV1": {"f:data": {"f:a": {}}},
    }
    applied = {"manager": "mine", "operation": "Apply", "fieldsV1": {"f:data": {"f:b": {}}}}
    foreign = {"manager": "kubelet", "operation": "Update", "subresource": "status"}
    live = {"metadata": {"managedFields": [created, applied, foreign]}}
    moved = migrated(live, "mine")
    assert moved is not None
    assert foreign in moved
    assert {**applied, "fieldsV1": {"f:data": {"f:a": {}, "f:b": {}}}} in moved
    assert len(moved) == 2
    assert migrated({"metadata": {"managedFields": moved}}, "mine") is None
    assert owns(live, "mine")
    assert not owns(live, "other")
