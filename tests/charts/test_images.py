"""No image but those in the chart's `images:` may be pulled, at the start or later."""

from __future__ import annotations

import pytest

from tests.charts.image_walk import references
from tests.charts.rendering import NAMES, defaults, plan, planned, planned_render, render


@pytest.mark.parametrize("chart", NAMES)
def test_a_chart_names_every_image_it_uses_and_uses_every_image_it_names(chart: str) -> None:
    assert references(render(chart)) == set(defaults(chart).get("images", {}).values())


@pytest.mark.parametrize(("stack", "component"), planned())
def test_a_stack_pulls_only_the_images_of_its_plan(stack: str, component: str) -> None:
    planned, manifests = planned_render(stack, component)
    # a tenant names the image that its steps run in, which another component brings
    assert references(manifests) <= {image.reference for image in plan(stack).images}
    assert {image.reference for image in planned.images} == set(
        planned.values.get("images", {}).values()
    )


@pytest.mark.parametrize(
    "hidden",
    [
        {"args": ["--executor-image", "quay.io/argoproj/argoexec:v4.0.5"]},
        {"args": ["--image=quay.io/argoproj/argoexec:v4.0.5"]},
        {"env": [{"name": "V2_DRIVER", "value": "quay.io/argoproj/argoexec:v4.0.5"}]},
        {"data": {"config": "a: b\nspawner:\n  image: quay.io/argoproj/argoexec:v4.0.5\n"}},
        {"data": {"config.json": '{"sidecar": "quay.io/argoproj/argoexec:v4.0.5"}'}},
        {"annotations": {"x": "quay.io/argoproj/argoexec:v4.0.5"}},
        {"image": "quay.io/argoproj/argoexec:v4.0.5"},
    ],
    ids=str,
)
def test_the_walk_finds_an_image_wherever_it_hides(hidden: object) -> None:
    assert references([{"spec": hidden}]) == {"quay.io/argoproj/argoexec:v4.0.5"}


@pytest.mark.parametrize(
    "reference",
    [
        "registry.site.example:5000/a/b-c_d:1.0-x",
        "localhost:5000/a:1",
        "docker.io/library/postgres:17.9",
        "mlops-infra.local/mlflow:3.17.2-0123abcd",
        "r.example/a@sha256:" + "0" * 64,
        "r.example/a:1@sha256:" + "0" * 64,
    ],
)
def test_the_walk_knows_all_shapes_of_references(reference: str) -> None:
    assert references({"x": f"before {reference} after"}) == {reference}


@pytest.mark.parametrize(
    "harmless",
    [
        "http://versitygw.mlops-stores.svc:7070",
        "https://host.example:8443/path/to:8080",
        "s3://mlflow/artifacts",
        "postgresql+psycopg2://",
        "/var/lib/postgresql/data",
        "mlflow.mlflow.svc:*",
        "16Mi",
    ],
)
def test_the_walk_takes_no_url_or_path_for_an_image(harmless: str) -> None:
    assert references({"x": harmless}) == set()
