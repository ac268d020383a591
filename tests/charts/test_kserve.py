"""What KServe's chart promises: no Pod of anybody else waits for it, no model runs loose."""

from __future__ import annotations

import json

import pytest

from tests.charts.rendering import CASES, Manifest, both, one, render

ALL = render("kserve")
RUNTIMES = [each for each in ALL if each["kind"] == "ClusterServingRuntime"]
HARDENED = {
    "runAsNonRoot": True,
    "allowPrivilegeEscalation": False,
    "capabilities": {"drop": ["ALL"]},
    "seccompProfile": {"type": "RuntimeDefault"},
}


def _webhooks() -> list[Manifest]:
    kinds = ("MutatingWebhookConfiguration", "ValidatingWebhookConfiguration")
    return [hook for each in ALL if each["kind"] in kinds for hook in each["webhooks"]]


def test_a_dead_controller_blocks_models_and_nothing_else() -> None:
    for hook in _webhooks():
        (rule,) = hook["rules"]
        if rule["apiGroups"] == [""]:
            assert rule["resources"] == ["pods"]
            assert hook["objectSelector"]["matchExpressions"] == [
                {"key": "serving.kserve.io/inferenceservice", "operator": "Exists"}
            ]
        else:
            assert rule["apiGroups"] == ["serving.kserve.io"]
        assert rule["scope"] == "Namespaced"
        assert hook["timeoutSeconds"] <= 10


def test_every_webhook_is_called_at_the_service_that_the_certificate_is_for() -> None:
    service = one(ALL, "Service", "kserve-webhook-server-service")
    for hook in _webhooks():
        called = hook["clientConfig"]["service"]
        assert called["name"] == service["metadata"]["name"]
        assert called["namespace"] == service["metadata"]["namespace"]
        assert called["port"] in [port["port"] for port in service["spec"]["ports"]]


def test_where_no_pod_runs_nobody_is_asked() -> None:
    values = both(CASES["kserve"].values, {"webhook": {"enabled": False}})
    assert not [each for each in render("kserve", values) if "webhooks" in each]


@pytest.mark.parametrize("runtime", RUNTIMES, ids=lambda each: each["metadata"]["name"])
def test_every_server_is_locked_down(runtime: Manifest) -> None:
    for container in runtime["spec"]["containers"]:
        security = container["securityContext"]
        assert HARDENED.items() <= security.items()
        assert security["runAsUser"] > 0
        assert set(container["resources"]) == {"limits", "requests"}
    # the controller tells MLServer, Triton and TorchServe apart by these names
    assert runtime["metadata"]["name"].startswith("kserve-")


def test_the_runtime_of_mlserver_has_the_name_that_the_controller_knows() -> None:
    assert "kserve-mlserver" in {each["metadata"]["name"] for each in RUNTIMES}


def test_models_are_copied_without_an_environment() -> None:
    container = one(ALL, "ClusterStorageContainer")["spec"]["container"]
    assert "env" not in container
    assert "envFrom" not in container
    assert HARDENED.items() <= container["securityContext"].items()
    assert container["securityContext"]["readOnlyRootFilesystem"] is True


def test_the_configuration_is_json_and_standard_mode() -> None:
    data = one(ALL, "ConfigMap", "inferenceservice-config")["data"]
    read = {key: json.loads(value) for key, value in data.items()}
    assert read["deploy"]["defaultDeploymentMode"] == "Standard"
    assert read["ingress"]["disableIngressCreation"] is True
    assert read["ingress"]["domainTemplate"] == (
        "{{ .Name }}-predictor.{{ .Namespace }}.{{ .IngressDomain }}"
    )
    # its own names for the keys of S3 are others than everybody's
    assert read["credentials"]["s3"] == {
        "s3AccessKeyIDName": "AWS_ACCESS_KEY_ID",
        "s3SecretAccessKeyName": "AWS_SECRET_ACCESS_KEY",
    }
    for part in ("agent", "batcher", "logger", "router", "storageInitializer"):
        assert {"cpuLimit", "cpuRequest", "memoryLimit", "memoryRequest"} <= read[part].keys()


def test_a_declared_tenant_alone_shows_its_keys() -> None:
    values = both(CASES["kserve"].values, {"credentialsEverywhere": False})
    everywhere = one(render("kserve", values), "ClusterRole", "kserve")
    assert "secrets" not in [each for rule in everywhere["rules"] for each in rule["resources"]]
    assert one(ALL, "ClusterRole", "kserve-tenant")["rules"][0]["verbs"] == ["get"]


def test_a_changed_configuration_restarts_the_controller() -> None:
    def revision(values: Manifest) -> str:
        pod = one(render("kserve", values), "Deployment")["spec"]["template"]
        found: str = pod["metadata"]["annotations"]["mlops-infra.dev/config"]
        return found

    base = CASES["kserve"].values
    assert revision(base) != revision(both(base, {"features": {"agent": False}}))
