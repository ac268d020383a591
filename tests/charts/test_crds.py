"""The definitions cover what the catalog needs and are sound enough for any API server."""

from __future__ import annotations

import json

from mlops_infra.catalog import load_catalog
from tests.charts.rendering import CHARTS, defaults, render

FILES = {file.stem for file in (CHARTS / "crds" / "files").glob("*.yaml")}
ALL = render("crds")


def test_every_group_that_a_component_needs_can_be_chosen() -> None:
    schema = json.loads((CHARTS / "crds" / "values.schema.json").read_text("utf-8"))
    needed = {group for component in load_catalog() for group in component.crds}
    assert needed <= FILES
    assert set(schema["properties"]["groups"]["items"]["enum"]) == FILES
    assert set(defaults("crds")["groups"]) == FILES


def test_one_version_of_each_kind_is_stored_and_names_do_not_clash() -> None:
    short: list[str] = []
    for definition in ALL:
        spec = definition["spec"]
        assert [v["storage"] for v in spec["versions"]].count(True) == 1
        assert all(v["served"] for v in spec["versions"])
        assert definition["metadata"]["name"] == f"{spec['names']['plural']}.{spec['group']}"
        short += spec["names"].get("shortNames", [])
    assert len(short) == len(set(short))


def test_protected_groups_carry_their_approval() -> None:
    for definition in ALL:
        if definition["spec"]["group"].endswith(".k8s.io"):
            notes = definition["metadata"]["annotations"]
            assert notes["api-approved.kubernetes.io"].startswith("https://")


def test_definitions_outlive_the_platform_only_where_asked() -> None:
    kept = {d["metadata"]["annotations"]["helm.sh/resource-policy"] for d in ALL}
    assert kept == {"keep"}
    purged = render("crds", {"keep": False})
    assert not [
        d for d in purged if "helm.sh/resource-policy" in d["metadata"].get("annotations", {})
    ]


def test_no_definition_is_too_large_for_a_client_side_apply() -> None:
    assert max(len(json.dumps(each)) for each in ALL) < 5_000
