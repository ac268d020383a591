"""What a teardown reads from the state."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from mlops_infra.teardown.model.state import APPLICATION, Deployed


def urn(name: str) -> str:
    return f"urn:pulumi:one::mlops-infra::{APPLICATION}::{name}"


def state(*resources: dict[str, Any]) -> Deployed:
    return Deployed.of({"deployment": {"resources": list(resources)}})


def application(name: str, *needs: str) -> dict[str, Any]:
    return {"type": APPLICATION, "urn": urn(name), "dependencies": [urn(each) for each in needs]}


def test_clients_are_drained_before_what_they_need() -> None:
    deployed = state(
        application("postgresql"),
        application("valkey"),
        application("mlflow", "postgresql"),
        application("portal", "mlflow", "valkey"),
    )
    assert deployed.waves() == (("portal",), ("valkey", "mlflow"), ("postgresql",))


@given(st.dictionaries(st.sampled_from("abcdef"), st.sets(st.sampled_from("abcdef"))))
def test_every_component_is_drained_once_whatever_the_state_says(
    needs: dict[str, set[str]],
) -> None:
    deployed = state(*(application(name, *wanted) for name, wanted in needs.items()))
    drained = [name for wave in deployed.waves() for name in wave]
    assert sorted(drained) == sorted(needs)


def test_protected_things_are_named_as_the_configuration_names_them() -> None:
    labels = {"mlops-infra.dev/component": "postgresql"}
    held = {
        "type": "kubernetes:apps/v1:StatefulSet",
        "urn": "urn:pulumi:one::mlops-infra::kubernetes:apps/v1:StatefulSet::x:y/z",
        "inputs": {"metadata": {"name": "postgresql", "labels": labels}},
        "protect": True,
    }
    assert state(held, {**held, "protect": False}).protected() == (
        "postgresql/StatefulSet/postgresql",
    )


def test_a_stack_of_nothing_is_empty() -> None:
    assert Deployed.of({}).empty
    assert Deployed.of({"deployment": None}).empty
    assert state({"type": "pulumi:pulumi:Stack", "urn": "s"}).empty
    assert not state(application("a")).empty
