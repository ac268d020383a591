"""The catalog is whole: what can be deployed has everything, and names fit the other rooms."""

from __future__ import annotations

from pathlib import Path
from typing import get_args

import pytest
import yaml

from mlops_infra.catalog import Component, load_catalog, loading
from mlops_infra.config import KeyValueStore, ObjectStore, SqlStore
from mlops_infra.config.onprem.components import ComponentName, Components
from tests.golden import ROOT

CATALOG = load_catalog()
DEPLOYABLE = [
    each for each in CATALOG if each.available and each.kind != "node" and not each.implied
]


def test_configuration_and_catalog_know_the_same_components() -> None:
    known = {each.name for each in CATALOG if each.kind == "component" and not each.implied}
    assert set(get_args(ComponentName)) == known
    assert {name for name, _ in Components().by_name()} == known


@pytest.mark.parametrize("model", [ObjectStore, SqlStore, KeyValueStore])
def test_every_engine_of_a_store_is_in_the_catalog(
    model: type[ObjectStore | SqlStore | KeyValueStore],
) -> None:
    for engine in get_args(model.model_fields["engine"].annotation):
        assert CATALOG[engine].kind == "store"


def test_every_licence_has_a_source_and_covers_its_version() -> None:
    for each in CATALOG:
        assert each.licence().source
        assert all(licence.source for licence in each.licences)


def test_what_cannot_be_deployed_says_why() -> None:
    assert all(bool(each.reason) != each.available for each in CATALOG)


@pytest.mark.parametrize("component", DEPLOYABLE, ids=lambda each: each.name)
def test_what_can_be_deployed_is_whole(component: Component) -> None:
    assert component.namespace
    assert component.images
    assert {"small", "medium", "large"} <= set(component.sizes)
    for image in component.images:
        assert image.recipe or image.upstream or image.when
        assert not (image.upstream or "").endswith(":latest")


@pytest.mark.parametrize("component", DEPLOYABLE, ids=lambda each: each.name)
def test_image_roles_are_those_of_the_chart(component: Component) -> None:
    values = ROOT / "charts" / str(component.chart) / "values.yaml"
    held = yaml.safe_load(values.read_text(encoding="utf-8"))
    assert set(held["images"]) == {image.role for image in component.images}


@pytest.mark.parametrize(
    "component", [each for each in CATALOG if each.chart], ids=lambda each: each.name
)
def test_a_chart_by_itself_deploys_the_version_of_the_catalog(component: Component) -> None:
    folder = ROOT / "charts" / str(component.chart)
    head = yaml.safe_load((folder / "Chart.yaml").read_text(encoding="utf-8"))
    assert head["appVersion"] == component.version
    held = yaml.safe_load((folder / "values.yaml").read_text(encoding="utf-8")).get("images", {})
    for image in component.images:
        assert image.upstream in {held[image.role], None}, image.role


def test_node_ports_do_not_collide() -> None:
    taken: dict[int, Component] = {}
    for each in CATALOG:
        for number in [port.node_port for port in each.ports if port.node_port]:
            assert 30000 <= number <= 32767
            other = taken.setdefault(number, each)
            # engines of one store are never there together
            shared = set(other.provides) & set(each.provides)
            alike = shared and other.kind == each.kind == "store"
            assert other is each or alike, f"{other.name} and {each.name}: {number}"


@pytest.mark.parametrize(
    ("name", "version", "spdx"),
    [
        ("seldon-core", "1.17.1", "Apache-2.0"),
        ("seldon-core", "1.18.0", "BUSL-1.1"),
        ("seldon-core", "2.10.2", "BUSL-1.1"),
        ("redis", "7.2.5", "BSD-3-Clause"),
        ("redis", "7.4.0", "LicenseRef-RSALv2 OR SSPL-1.0"),
        ("grafana", None, "AGPL-3.0-only"),
        ("minio", None, "AGPL-3.0-only"),
        ("seaweedfs", None, "Apache-2.0"),
        ("valkey", None, "BSD-3-Clause"),
    ],
)
def test_a_licence_belongs_to_a_version(name: str, version: str | None, spdx: str) -> None:
    assert CATALOG[name].licence(version).spdx == spdx


@pytest.mark.parametrize(
    "body",
    [
        "name: x\n",
        "name: other\ntitle: X\nkind: store\nversion: '1'\nlicences: [{spdx: MIT, source: y}]\n",
        "name: x\ntitle: X\nkind: store\nversion: '1'\nlicences: [{spdx: 'MIT OR', source: y}]\n",
        "name: x\ntitle: X\nkind: store\nversion: '1'\nlicences: []\nsurprise: 1\n",
    ],
)
def test_a_slip_in_a_file_is_refused(tmp_path: Path, body: str) -> None:
    (tmp_path / "x.yaml").write_text(body)
    with pytest.raises(ValueError, match=r"x\.yaml"):
        loading.load_catalog(tmp_path)
