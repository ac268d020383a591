"""The licence of every image of every example stack, and what is refused where."""

from __future__ import annotations

from typing import Any

import pytest

from mlops_infra.config import load, parse, stack_file
from mlops_infra.plan.licence_report import ImageLicence, licence_report
from tests.unit.plan import plans

ONPREM = ["core", "sandbox", "onprem-dev", "onprem-prod", "onprem-closed"]
MANAGED = {"state": "managed"}


def report(**values: Any) -> dict[str, ImageLicence]:
    config = parse({"profile": "onprem", "environment": "test", **values})
    rows = licence_report(config, stack="test", built=plans.BUILT)
    return {f"{row.component}/{row.role}": row for row in rows}


@pytest.mark.parametrize("stack", ONPREM)
def test_every_image_of_an_example_stack_has_a_licence_with_a_source(stack: str) -> None:
    config = load(stack_file(stack))
    plan = plans.of_stack(stack)
    rows = licence_report(config, stack=stack, built=plans.BUILT)
    assert {row.image for row in rows} == {
        image.reference for image in (*plan.images, *plan.node_images)
    }
    for row in rows:
        assert row.spdx
        assert row.source
        assert row.version
        assert row.verdict in ("passes", "noted", "accepted")


def test_what_is_refused_is_listed_with_what_takes_its_place() -> None:
    rows = report(components={"grafana": MANAGED, "prometheus": MANAGED, "seldon-core": MANAGED})
    assert rows["grafana/server"].verdict == "refused"
    seldon = [row for name, row in rows.items() if name.startswith("seldon-core/")]
    assert seldon
    assert all(row.verdict == "refused" and row.alternative for row in seldon)
    assert rows["mlflow/server"].verdict == "passes"


def test_what_the_owner_accepts_says_so() -> None:
    rows = report(
        components={"grafana": MANAGED, "prometheus": MANAGED}, licence={"accept": ["grafana"]}
    )
    assert rows["grafana/server"].verdict == "accepted"


def test_images_named_by_hand_are_unread_or_refused() -> None:
    overrides = {
        "mlflow/server": "registry.example/mlflow:1",
        "valkey/server": "docker.io/bitnami/valkey:8",
    }
    rows = report(network={"overrides": overrides})
    assert rows["mlflow/server"].verdict == "unread"
    assert rows["valkey/server"].verdict == "refused"
    assert rows["valkey/server"].alternative
