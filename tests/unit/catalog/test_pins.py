"""The catalog tells the versions and users that recipes and toolchain really have."""

from __future__ import annotations

from typing import Any

import pytest
import yaml

from mlops_infra import toolchain
from mlops_infra.catalog import load_catalog
from mlops_infra.config.resolve import EMBEDDED_KUBERNETES
from tests.golden import ROOT

CATALOG = load_catalog()
BUILT = [
    (each, image)
    for each in CATALOG
    for image in each.images
    if image.recipe and image.built_user and each.available
]


def recipe(name: str) -> dict[str, Any]:
    text = (ROOT / "recipes" / f"{name}.yaml").read_text(encoding="utf-8")
    loaded: dict[str, Any] = yaml.safe_load(text)
    return loaded


@pytest.mark.parametrize(("component", "image"), BUILT, ids=[each.name for each, _ in BUILT])
def test_users_are_those_of_the_recipe(component: Any, image: Any) -> None:
    user = image.built_user
    assert recipe(image.recipe)["run"]["user"] == f"{user.user}:{user.group}"


@pytest.mark.parametrize("component", [c for c in CATALOG if c.available], ids=lambda c: c.name)
def test_every_recipe_exists(component: Any) -> None:
    for image in (each for each in component.images if each.recipe):
        assert recipe(image.recipe)["name"] == image.recipe


@pytest.mark.parametrize("name", ["coredns", "versitygw"])
def test_versions_are_those_of_the_toolchain(name: str) -> None:
    assert toolchain.version(name).removeprefix("v") == CATALOG[name].version


def test_the_embedded_cluster_has_the_kubernetes_that_plans_are_judged_by() -> None:
    version = toolchain.version("kube-apiserver").removeprefix("v")
    assert version.rpartition(".")[0] == EMBEDDED_KUBERNETES


def test_mlflow_is_the_version_of_its_recipe() -> None:
    requirements = recipe("mlflow")["python"]["requirements"]
    assert f"mlflow[auth]=={CATALOG['mlflow'].version}" in requirements
