"""Model serving in a plan: what is asked for is there, nothing else, and the gates see it."""

from __future__ import annotations

from typing import Any

import pytest

from mlops_infra.plan import Certificate, Plan, PlanError, authority_of
from tests.unit.plan import plans

IMAGES = {"manager", "storageInitializer", "mlserver", "tensorflow"}


def _plan(settings: dict[str, Any] | None = None, **others: Any) -> Plan:
    kserve = {"state": "managed", "settings": settings or {}}
    return plans.of_values(components={"kserve": kserve}, **others)


def _roles(plan: Plan) -> set[str]:
    return {image.role for image in plan.component("kserve").images}


def test_only_the_images_that_the_settings_ask_for_are_planned() -> None:
    assert _roles(_plan()) == IMAGES
    assert _roles(_plan({"tensorflow": False})) == IMAGES - {"tensorflow"}
    assert _roles(_plan({"torchserve": True, "inferenceGraphs": True})) == {
        *IMAGES,
        "torchserve",
        "router",
    }


def test_an_image_of_the_sites_own_is_planned_and_relocated() -> None:
    bento = "registry.example/bentos/churn:1.4"
    plan = _plan({"bentomlImage": bento})
    assert bento in {image.reference for image in plan.images}
    assert plan.component("kserve").values["runtimes"]["bentoml"] == {"enabled": True}
    moved = _plan({"bentomlImage": bento}, network={"registry": "site.example"})
    assert f"site.example/{bento}" in {image.reference for image in moved.images}


def test_nvidias_terms_are_the_owners_decision() -> None:
    with pytest.raises(PlanError) as caught:
        _plan({"triton": True})
    assert "NVIDIA" in str([problem.message for problem in caught.value.problems])
    licence = {"accept": ["LicenseRef-NVIDIA-Deep-Learning-Container"]}
    accepted = _plan({"triton": True}, licence=licence)
    assert "triton" in _roles(accepted)
    assert not [f for f in accepted.findings if "accepts nothing" in f.message]


def test_definitions_come_first_and_only_those_that_are_needed() -> None:
    plan = _plan()
    names = [component.name for component in plan.components]
    assert names.index("crds") < names.index("kserve")
    assert plan.component("crds").values["groups"] == ["serving.kserve.io"]
    assert "crds" in plan.component("kserve").needs


def test_the_webhooks_certificate_is_for_its_service_and_trusted_in_its_namespace() -> None:
    kserve = _plan().component("kserve")
    (spec,) = [each for each in kserve.secrets if each.name == "kserve-webhook-server-cert"]
    assert set(spec.keys) == {"tls.crt", "tls.key"}
    assert all(isinstance(value, Certificate) for value in spec.keys.values())
    assert authority_of(kserve.values["webhook"]["caBundle"]) == kserve.namespace


def test_declared_tenants_show_their_keys_themselves() -> None:
    assert _plan().component("kserve").values["credentialsEverywhere"] is True
    told = _plan(tenants={"demo": {}})
    assert told.component("kserve").values["credentialsEverywhere"] is False


@pytest.mark.parametrize("engine", ["kserve", "seldon-core"])
@pytest.mark.parametrize(("images", "told"), [("built", False), ("upstream", True)])
def test_a_server_that_cannot_read_todays_models_is_told(
    engine: str, images: str, told: bool
) -> None:
    plan = plans.of_values(
        components={engine: {"state": "managed"}},
        licence={"accept": ["seldon-core"]},
        network={"images": images, "registry": "site.example"},
    )
    found = [f.message for f in plan.findings]
    ours = [each for each in plan.component(engine).images if each.recipe == "mlserver"]
    assert bool(ours) != told, "the platform's own MLServer reads what the platform trains"
    assert any("MLflow 2.19" in message for message in found) == told
