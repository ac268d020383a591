"""What a destroy leaves alone, as marks in the state."""

from __future__ import annotations

from typing import Any

from pulumi.automation import Deployment

from mlops_infra.engine.keeping import only


def resources(deployment: Deployment) -> dict[str, dict[str, Any]]:
    return {each["urn"]: dict(each) for each in (deployment.deployment or {})["resources"]}


def test_exactly_what_is_named_stays() -> None:
    before = Deployment(
        3,
        {
            "manifest": {"magic": "x"},
            "resources": [
                {"urn": "a", "protect": True},
                {"urn": "b", "retainOnDelete": True},
                {"urn": "c"},
            ],
        },
    )
    after = only(before, ["c"])
    assert resources(after) == {
        "a": {"urn": "a"},
        "b": {"urn": "b"},
        "c": {"urn": "c", "protect": True},
    }
    assert after.deployment is not None
    assert after.deployment["manifest"] == {"magic": "x"}
    assert resources(before)["a"]["protect"] is True


def test_an_empty_state_stays_one() -> None:
    assert only(Deployment(3, None), []).deployment == {"resources": []}
