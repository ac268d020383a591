"""The engine and Pulumi's own Kubernetes provider against a real API server."""

from __future__ import annotations

import base64
import json
from typing import Any

import pulumi
import pytest
from pulumi import ResourceOptions
from pulumi_kubernetes.apiextensions import CustomResource
from pulumi_kubernetes.apiextensions.v1 import CustomResourceDefinition
from pulumi_kubernetes.core.v1 import ConfigMap, PersistentVolumeClaim, Secret, Service

from mlops_infra.components.secret_values import SecretValues
from mlops_infra.config import SecretReference
from mlops_infra.engine.last_run import Given
from mlops_infra.errors import InputError, OperationFailed
from mlops_infra.naming import field_manager
from mlops_infra.plan import FromConfig, SecretSpec
from tests.engine.control_plane import ControlPlane
from tests.engine.stacks import NAME, Program, Stack
from tests.engine.workloads import deployment, stateful_set

# the API server of the tests has a certificate that nobody has signed
pytestmark = pytest.mark.filterwarnings("ignore::urllib3.exceptions.InsecureRequestWarning")

CANARY = "canary-7Qx2-vRp9-hidden"


def config_map(
    name: str, namespace: str, data: dict[str, str], opts: ResourceOptions, **metadata: Any
) -> ConfigMap:
    meta = {"name": name, "namespace": namespace, **metadata}
    return ConfigMap(name, metadata=meta, data=data, opts=opts)


def path_of(namespace: str, name: str) -> str:
    return f"/api/v1/namespaces/{namespace}/configmaps/{name}"


def test_objects_are_created_once_updated_and_deleted(
    stack: Stack, api_server: ControlPlane, namespace: str
) -> None:
    text, image, labels = "one", "good/app:1", {"one": "1", "two": "2"}

    def program(opts: ResourceOptions) -> None:
        config_map("settings", namespace, {"text": text}, opts, labels=dict(labels))
        deployment("web", namespace, image, opts)
        Service(
            "web",
            metadata={"name": "web", "namespace": namespace},
            spec={"selector": {"app": "web"}, "ports": [{"port": 80}]},
            opts=opts,
        )

    stack.program = program
    assert stack.up().counts == {"create": 5}
    assert stack.changes() == {}
    assert stack.up().changed == 0

    image, text = "good/app:2", "two"
    del labels["two"]
    settings = path_of(namespace, "settings")
    api_server.request("PATCH", settings, {"metadata": {"labels": {"foreign": "x"}}})
    assert stack.up().counts == {"update": 2}
    path = f"/apis/apps/v1/namespaces/{namespace}/deployments/web"
    (container,) = api_server.request("GET", path)["spec"]["template"]["spec"]["containers"]
    assert container["image"] == "good/app:2"
    live = api_server.request("GET", settings)
    assert live["data"] == {"text": "two"}
    assert live["metadata"]["labels"] == {"one": "1", "foreign": "x"}
    managers = {each["manager"] for each in live["metadata"]["managedFields"]}
    assert field_manager(NAME) in managers

    stack.down()
    assert api_server.request("GET", path) is None
    assert stack.resources() == []


def test_a_broken_image_fails_in_seconds_and_the_next_up_heals(
    stack: Stack, namespace: str
) -> None:
    image = "missing/app:1"
    stack.program = lambda opts: deployment("web", namespace, image, opts) and None
    with pytest.raises(OperationFailed) as failure:
        stack.up()
    said = str(failure.value)
    assert f"Deployment {namespace}/web is not ready: Pod {namespace}/web-" in said
    assert "container main" in said
    assert "missing/app:1" in said
    assert "check the image's name" in said
    # the object exists and is recorded, so nothing is made twice
    assert len(stack.resources("Deployment")) == 1
    image = "good/app:1"
    stack.up()
    assert stack.changes() == {}
    stack.down()


def test_a_broken_stateful_set_heals_too(
    stack: Stack, api_server: ControlPlane, namespace: str
) -> None:
    """Its controller never replaces a broken Pod by itself."""
    bind_claims(api_server, namespace, "data-store-0")
    image = "missing/app:1"
    stack.program = lambda opts: stateful_set("store", namespace, image, opts) and None
    with pytest.raises(OperationFailed, match=f"StatefulSet {namespace}/store is not ready: Pod"):
        stack.up()
    image = "good/app:1"
    stack.up()
    stack.down()


def test_a_crash_loop_is_told_with_its_exit_code(stack: Stack, namespace: str) -> None:
    stack.program = lambda opts: deployment("web", namespace, "crash/app:1", opts) and None
    with pytest.raises(OperationFailed, match="exit code 3"):
        stack.up()


def test_a_missing_storage_class_is_named(stack: Stack, namespace: str) -> None:
    def program(opts: ResourceOptions) -> None:
        PersistentVolumeClaim(
            "data",
            metadata={"name": "data", "namespace": namespace},
            spec={
                "accessModes": ["ReadWriteOnce"],
                "storageClassName": "fast",
                "resources": {"requests": {"storage": "1Gi"}},
            },
            opts=opts,
        )
        volume = {"name": "data", "persistentVolumeClaim": {"claimName": "data"}}
        deployment("web", namespace, "good/app:1", opts, volumes=[volume])

    stack.program = program
    with pytest.raises(OperationFailed, match="'fast' does not exist"):
        stack.up()


def test_a_finalizer_that_holds_a_deletion_is_named(
    stack: Stack, api_server: ControlPlane, namespace: str
) -> None:
    held = ["example.com/hold"]
    stack.program = lambda opts: config_map("held", namespace, {}, opts, finalizers=held) and None
    stack.up()
    with pytest.raises(OperationFailed) as failure:
        stack.down()
    assert f"ConfigMap {namespace}/held" in str(failure.value)
    assert "example.com/hold" in str(failure.value)
    api_server.request("PATCH", path_of(namespace, "held"), {"metadata": {"finalizers": None}})
    stack.down()
    assert stack.resources() == []


def test_an_object_of_somebody_else_is_refused(
    stack: Stack, api_server: ControlPlane, namespace: str
) -> None:
    for name in ("taken", "also"):
        body = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}}
        api_server.request("POST", f"/api/v1/namespaces/{namespace}/configmaps", body)

    def program(opts: ResourceOptions) -> None:
        for name in ("taken", "also", "free"):
            config_map(name, namespace, {"a": "b"}, opts)

    stack.program = program
    with pytest.raises(InputError, match="somebody else has made") as failure:
        stack.up()
    assert f"ConfigMap {namespace}/taken" in failure.value.what
    assert f"ConfigMap {namespace}/also" in failure.value.what
    assert api_server.request("GET", path_of(namespace, "free")) is None
    assert "data" not in api_server.request("GET", path_of(namespace, "taken"))


def test_what_somebody_has_deleted_is_made_again(
    stack: Stack, api_server: ControlPlane, namespace: str
) -> None:
    def program(opts: ResourceOptions) -> None:
        for name in ("one", "two"):
            config_map(name, namespace, {"a": "b"}, opts)

    stack.program = program
    stack.up()
    api_server.request("DELETE", path_of(namespace, "one"))
    assert stack.up().counts == {"create": 1}
    assert api_server.request("GET", path_of(namespace, "one"))["data"] == {"a": "b"}
    for name in ("one", "two"):
        api_server.request("DELETE", path_of(namespace, name))
    with pytest.raises(InputError, match="has nothing of this stack"):
        stack.up()


def test_what_a_killed_run_has_deleted_is_no_sign_of_another_cluster(
    stack: Stack, api_server: ControlPlane, namespace: str
) -> None:
    stack.program = lambda opts: config_map("last", namespace, {"a": "b"}, opts) and None
    stack.up()
    # as the state is left by a kill between the deletion and the engine's note of it
    (file,) = stack.state.rglob(f"{NAME}.json")
    state = json.loads(file.read_text(encoding="utf-8"))
    latest = state["checkpoint"]["latest"]
    (mine,) = [each for each in latest["resources"] if each["type"].endswith(":ConfigMap")]
    latest["pending_operations"] = [{"resource": mine, "type": "deleting"}]
    file.write_text(json.dumps(state), encoding="utf-8")
    api_server.request("DELETE", path_of(namespace, "last"))
    stack.program = lambda _opts: None
    stack.up()
    assert stack.resources("ConfigMap") == []


def test_fields_of_an_earlier_release_are_taken_over_and_those_of_a_person_not_unseen(
    stack: Stack, api_server: ControlPlane, namespace: str
) -> None:
    """An earlier release left the field managers to the provider, which makes random ones."""
    data = {"a": "1", "b": "2"}
    stack.program = lambda opts: config_map("old", namespace, dict(data), opts) and None
    stack.annotated = False
    stack.up()
    stack.annotated = True
    data["a"] = "2"
    del data["b"]
    stack.up()
    path = path_of(namespace, "old")
    assert api_server.request("GET", path)["data"] == {"a": "2"}
    data["a"] = "3"
    stack.up()
    assert api_server.request("GET", path)["data"] == {"a": "3"}
    api_server.request("PATCH", f"{path}?fieldManager=a-person", {"data": {"a": "theirs"}})
    data["a"] = "4"
    with pytest.raises(OperationFailed, match="a-person"):
        stack.engine.up((), given=Given("x"), refresh=False)
    assert api_server.request("GET", path)["data"] == {"a": "theirs"}
    stack.up()  # which sees it, says so and takes it back
    assert api_server.request("GET", path)["data"] == {"a": "4"}


def test_secrets_are_nowhere_in_clear(
    stack: Stack,
    api_server: ControlPlane,
    namespace: str,
    capfd: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("CANARY", CANARY)
    values = SecretValues(NAME, b"seed", {"own": {"password": SecretReference(env="CANARY")}})
    spec = SecretSpec("access", namespace, {"password": FromConfig("own", "password")})

    def program(opts: ResourceOptions) -> None:
        found = values.of(spec)
        meta = {"name": "access", "namespace": namespace}
        Secret("access", metadata=meta, string_data=found, opts=opts)
        if refused:
            # a message of the API server that would show the value: it refuses such a label
            label = found["password"].apply(lambda value: f"{value}!")
            config_map("bad", namespace, {}, opts, labels={"x": label})

    stack.program = program
    refused = True
    with pytest.raises(OperationFailed, match="bad") as failure:
        stack.up()
    assert "***" in str(failure.value)
    refused = False
    stack.up()
    shown = "".join(map(str, stack.shown)) + "".join(capfd.readouterr())
    seen = stack.state_text() + str(failure.value) + shown
    live = api_server.request("GET", f"/api/v1/namespaces/{namespace}/secrets/access")
    assert base64.b64decode(live["data"]["password"]).decode() == CANARY
    for form in (CANARY, base64.b64encode(CANARY.encode()).decode()):
        assert form not in seen


def test_a_definition_is_served_before_its_resource_is_made(
    stack: Stack, api_server: ControlPlane, namespace: str
) -> None:
    stack.program = _widget(namespace)
    assert stack.changes() == {"create": 4}
    stack.up()
    path = f"/apis/example.com/v1/namespaces/{namespace}/widgets/one"
    assert api_server.request("GET", path)["spec"] == {"phase": "done"}
    assert stack.changes() == {}
    stack.down()


def _widget(namespace: str) -> Program:
    schema = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
    version = {
        "name": "v1",
        "served": True,
        "storage": True,
        "schema": {"openAPIV3Schema": schema},
        "subresources": {"status": {}},
    }

    def program(opts: ResourceOptions) -> None:
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
            opts=pulumi.ResourceOptions.merge(opts, pulumi.ResourceOptions(depends_on=[crd])),
        )

    return program


def bind_claims(api_server: ControlPlane, namespace: str, *names: str) -> None:
    """Volumes for the claims of a StatefulSet: nothing provisions them here."""
    for name in names:
        body = {
            "apiVersion": "v1",
            "kind": "PersistentVolume",
            "metadata": {"name": f"{namespace}-{name}"[:63]},
            "spec": {
                "capacity": {"storage": "1Gi"},
                "accessModes": ["ReadWriteOnce"],
                "hostPath": {"path": "/nowhere"},
                "claimRef": {"namespace": namespace, "name": name},
            },
        }
        api_server.request("POST", "/api/v1/persistentvolumes", body)
