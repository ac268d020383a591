"""The stand-in provider under the real engine against a real API server: plain objects."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from typing import Any

import pulumi
import pytest
from pulumi import ResourceOptions
from pulumi_kubernetes.apiextensions import CustomResource
from pulumi_kubernetes.apiextensions.v1 import CustomResourceDefinition
from pulumi_kubernetes.core.v1 import ConfigMap, Namespace, Secret, Service

from tests.engine.control_plane import ControlPlane
from tests.engine.stacks import Stack
from tests.engine.workloads import deployment

CANARY = "canary-7Qx2-vRp9-hidden"


def changes(result: Any) -> dict[str, int]:
    """What was or would be done, without what stays the same."""
    if hasattr(result, "change_summary"):
        summary = result.change_summary
    else:
        summary = result.summary.resource_changes
    return {str(getattr(k, "value", k)): n for k, n in summary.items() if "same" not in str(k)}


def test_many_of_one_kind_go_at_once_and_none_is_forgotten(
    stack: Stack, api_server: ControlPlane, namespace: str
) -> None:
    def program(opts: ResourceOptions) -> None:
        for number in range(40):
            meta = {"name": f"many-{number}", "namespace": namespace}
            ConfigMap(f"many-{number}", metadata=meta, data={"n": str(number)}, opts=opts)

    def left() -> list[str]:
        found = api_server.request("GET", f"/api/v1/namespaces/{namespace}/configmaps")
        names = [each["metadata"]["name"] for each in found["items"]]
        return [name for name in names if name.startswith("many-")]

    stack.program = program
    assert changes(stack.up())["create"] > 40
    assert len(left()) == 40
    stack.program = lambda _opts: None
    assert changes(stack.up())["delete"] == 40
    assert left() == []


def test_objects_are_created_once_updated_replaced_and_deleted(
    stack: Stack, api_server: ControlPlane, namespace: str
) -> None:
    text, image = "one", "good/app:1"

    def program(opts: ResourceOptions) -> None:
        meta = {"name": "settings", "namespace": namespace}
        config = ConfigMap("settings", metadata=meta, data={"text": text}, opts=opts)
        web = deployment("web", namespace, image, opts)
        Service(
            "web",
            metadata={"name": "web", "namespace": namespace},
            spec={"selector": {"app": "web"}, "ports": [{"port": 80}]},
            opts=opts,
        )
        pulumi.export("uid", config.metadata["uid"])
        pulumi.export("ready", web.status.apply(lambda status: status.ready_replicas))

    stack.program = program
    first = stack.up()
    assert "stand-in Kubernetes provider" in stack.output()
    assert first.outputs["ready"].value == 1
    assert changes(stack.preview()) == {}
    assert changes(stack.up()) == {}

    image = "good/app:2"
    assert changes(stack.preview()) == {"update": 1}
    assert changes(stack.up()) == {"update": 1}
    path = f"/apis/apps/v1/namespaces/{namespace}/deployments/web"
    containers = api_server.request("GET", path)["spec"]["template"]["spec"]["containers"]
    assert containers[0]["image"] == "good/app:2"

    text = "two"
    replaced = stack.up()
    assert changes(replaced) == {"replace": 1}
    assert replaced.outputs["uid"].value != first.outputs["uid"].value

    assert changes(stack.refresh()) == {}
    stack.destroy()
    assert api_server.request("GET", path) is None
    assert stack.resources() == []


def test_a_dropped_field_is_removed_and_foreign_ones_stay(
    stack: Stack, api_server: ControlPlane, namespace: str
) -> None:
    labels = {"one": "1", "two": "2"}

    def program(opts: ResourceOptions) -> None:
        meta = {"name": "labelled", "namespace": namespace, "labels": labels}
        ConfigMap("labelled", metadata=meta, data={}, opts=opts)

    stack.program = program
    stack.up()
    path = f"/api/v1/namespaces/{namespace}/configmaps/labelled"
    api_server.request("PATCH", path, {"metadata": {"labels": {"foreign": "x"}}})
    del labels["two"]
    stack.up()
    assert api_server.request("GET", path)["metadata"]["labels"] == {"one": "1", "foreign": "x"}


def test_secrets_are_nowhere_in_clear(
    stack: Stack, api_server: ControlPlane, namespace: str, capfd: pytest.CaptureFixture[str]
) -> None:
    def program(opts: ResourceOptions) -> None:
        meta = {"name": "access", "namespace": namespace}
        Secret("access", metadata=meta, string_data={"password": CANARY}, opts=opts)
        value = pulumi.Output.secret(CANARY)
        env = [{"name": "PLAIN", "value": "1"}, {"name": "PASSWORD", "value": value}]
        # a message of the API server that would show the value: it refuses such a name
        deployment("web", namespace, "good/app:1", opts, container={"env": env})
        annotated = {
            "namespace": namespace,
            "name": "bad",
            "labels": {"x": value.apply(lambda v: f"{v}!")},
        }
        ConfigMap("bad", metadata=annotated, opts=opts)

    stack.program = program
    with pytest.raises(Exception, match="bad") as failure:
        stack.up()
    stack.refresh()
    seen = stack.state_text() + stack.output() + str(failure.value) + "".join(capfd.readouterr())
    assert "[secret]" in seen
    live = api_server.request("GET", f"/api/v1/namespaces/{namespace}/secrets/access")
    assert base64.b64decode(live["data"]["password"]).decode() == CANARY
    for form in (CANARY, base64.b64encode(CANARY.encode()).decode()):
        assert form not in seen


def test_a_definition_is_served_before_its_resource_is_made(
    stack: Stack, api_server: ControlPlane, namespace: str
) -> None:
    def program(opts: ResourceOptions) -> None:
        schema = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
        version = {
            "name": "v1",
            "served": True,
            "storage": True,
            "schema": {"openAPIV3Schema": schema},
            "subresources": {"status": {}},
        }
        crd = CustomResourceDefinition(
            "widgets",
            metadata={"name": "widgets.example.com"},
            spec={
                "group": "example.com",
                "scope": "Namespaced",
                "names": {"plural": "widgets", "kind": "Widget"},
                "versions": [version],
            },
            opts=opts,
        )
        note = {"pulumi.com/waitFor": "jsonpath={.spec.phase}=done"}
        CustomResource(
            "widget",
            api_version="example.com/v1",
            kind="Widget",
            metadata={"name": "one", "namespace": namespace, "annotations": note},
            spec={"phase": "done"},
            opts=ResourceOptions.merge(opts, ResourceOptions(depends_on=[crd])),
        )

    stack.program = program
    assert changes(stack.preview()) == {"create": 4}
    stack.up()
    path = f"/apis/example.com/v1/namespaces/{namespace}/widgets/one"
    assert api_server.request("GET", path)["spec"] == {"phase": "done"}
    assert changes(stack.preview()) == {}
    assert changes(stack.refresh()) == {}
    stack.destroy()


def test_preview_copes_with_values_that_are_not_known_yet(stack: Stack) -> None:
    def program(opts: ResourceOptions) -> None:
        space = Namespace("auto", opts=opts)
        ConfigMap(
            "inner",
            metadata={"name": "inner", "namespace": space.metadata["name"]},
            data={"uid": space.metadata["uid"]},
            opts=opts,
        )

    stack.program = program
    assert changes(stack.preview()) == {"create": 4}
    stack.up()
    name = stack.children("Namespace")[0]["id"]
    assert name.startswith("auto-")
    assert stack.children("ConfigMap")[0]["id"] == f"{name}/inner"
    assert changes(stack.preview()) == {}
    stack.destroy()


def test_refresh_sees_what_others_changed_and_no_defaults(
    stack: Stack, api_server: ControlPlane, namespace: str
) -> None:
    def program(opts: ResourceOptions) -> None:
        resources = {"limits": {"cpu": "1000m", "memory": "1024Mi"}}
        deployment("web", namespace, "good/app:1", opts, container={"resources": resources})
        meta = {"name": "settings", "namespace": namespace}
        ConfigMap("settings", metadata=meta, data={"a": "1"}, opts=opts)

    stack.program = program
    stack.provider_options = {"enable_config_map_mutable": True}
    stack.up()
    assert changes(stack.refresh()) == {}
    assert changes(stack.preview()) == {}
    path = f"/api/v1/namespaces/{namespace}/configmaps/settings"
    api_server.request("PATCH", path, {"data": {"a": "2"}})
    assert changes(stack.refresh()) == {"update": 1}
    # fields that another manager took are not overwritten in silence
    with pytest.raises(Exception, match="patchForce"):
        stack.up()
    api_server.request("DELETE", path)
    assert changes(stack.refresh()) == {"delete": 1}
    assert changes(stack.up()) == {"create": 1}


def test_an_object_of_somebody_else_is_refused(
    stack: Stack, api_server: ControlPlane, namespace: str
) -> None:
    body = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "taken"}}
    api_server.request("POST", f"/api/v1/namespaces/{namespace}/configmaps", body)

    def program(opts: ResourceOptions) -> None:
        ConfigMap("taken", metadata={"name": "taken", "namespace": namespace}, opts=opts)

    stack.program = program
    with pytest.raises(Exception, match="already exists and this resource did not make it"):
        stack.up()
    stack.destroy()
    assert api_server.request("GET", f"/api/v1/namespaces/{namespace}/configmaps/taken")


def test_state_of_the_official_provider_is_taken_over(
    stack: Stack, api_server: ControlPlane, namespace: str
) -> None:
    """The official Create is a POST by another manager; an update must still move its fields."""
    data = {"a": "1", "b": "2"}

    def program(opts: ResourceOptions) -> None:
        meta = {"name": "old", "namespace": namespace}
        ConfigMap("old", metadata=meta, data=dict(data), opts=opts)

    stack.program = program
    stack.provider_options = {"enable_config_map_mutable": True}
    stack.up()
    path = f"/api/v1/namespaces/{namespace}/configmaps"
    live = api_server.request("GET", f"{path}/old")
    api_server.request("DELETE", f"{path}/old")
    body = {k: live[k] for k in ("apiVersion", "kind", "data")}
    body["metadata"] = {"name": "old", "namespace": namespace}
    api_server.request("POST", f"{path}?fieldManager=pulumi-kubernetes", body)
    del data["b"]
    assert changes(stack.up()) == {"update": 1}
    assert api_server.request("GET", f"{path}/old")["data"] == {"a": "1"}


def test_a_cluster_that_is_away_is_told_in_seconds(make_stack: Callable[..., Stack]) -> None:
    cluster = {"server": "https://127.0.0.1:9"}
    document = {
        "apiVersion": "v1",
        "current-context": "c",
        "clusters": [{"name": "c", "cluster": cluster}],
        "contexts": [{"name": "c", "context": {"cluster": "c"}}],
    }
    stack = make_stack(kubeconfig=json.dumps(document))
    stack.program = lambda opts: ConfigMap("x", metadata={"name": "x"}, opts=opts) and None
    with pytest.raises(Exception, match="cannot reach the Kubernetes API server"):
        stack.up()
    assert "Is the cluster running" in stack.output()
