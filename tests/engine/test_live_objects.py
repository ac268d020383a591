"""What somebody deletes or changes in the cluster is named, and the next `up` restores it."""

from __future__ import annotations

import base64
from dataclasses import dataclass, field
from typing import Any

import pulumi
import pytest
from pulumi import ResourceOptions
from pulumi_kubernetes.apiextensions import CustomResource
from pulumi_kubernetes.apiextensions.v1 import CustomResourceDefinition
from pulumi_kubernetes.core.v1 import ConfigMap, PersistentVolumeClaim, Secret, Service
from pulumi_kubernetes.rbac.v1 import ClusterRole, RoleBinding

from mlops_infra import contract
from mlops_infra.engine.last_run import Given
from mlops_infra.engine.runner import Engine
from mlops_infra.kube import Cluster
from tests.engine.control_plane import ControlPlane
from tests.engine.stacks import NAME, Program, Stack
from tests.engine.workloads import deployment

pytestmark = pytest.mark.filterwarnings("ignore::urllib3.exceptions.InsecureRequestWarning")

CANARY = "canary-4Kd8-by-hand"
NEW = base64.b64encode(CANARY.encode()).decode()


@dataclass(frozen=True)
class Case:
    """One object, a change by hand to what the stack sets, and one to what it does not."""

    kind: str
    path: str
    changed: Any
    fields: tuple[str, ...]
    ignored: Any = field(default_factory=lambda: {"metadata": {"labels": {"theirs": "x"}}})

    def at(self, namespace: str) -> str:
        return self.path.format(namespace=namespace)

    @property
    def name(self) -> str:
        return self.path.rpartition("/")[2]


CASES = (
    Case(
        "ConfigMap",
        "/api/v1/namespaces/{namespace}/configmaps/settings",
        {"data": {"a": "theirs", "b": None}},
        ("data.a", "data.b"),
        {"data": {"c": "further"}},
    ),
    Case(
        "Secret",
        "/api/v1/namespaces/{namespace}/secrets/access",
        {"data": {"token": NEW}},
        ("data.token",),
        {"data": {"further": NEW}},
    ),
    Case(
        "Service",
        "/api/v1/namespaces/{namespace}/services/web",
        {"spec": {"selector": {"further": "x"}, "ports": [{"port": 80, "targetPort": 1}]}},
        ("spec.ports.http.targetPort (1 instead of 8080)", "spec.selector"),
    ),
    Case(
        "Deployment",
        "/apis/apps/v1/namespaces/{namespace}/deployments/web",
        {"spec": {"replicas": 0}, "metadata": {"labels": {contract.STACK_LABEL: None}}},
        ("spec.replicas (0 instead of 1)", f"metadata.labels.{contract.STACK_LABEL}"),
        {"spec": {"template": {"metadata": {"annotations": {"restarted": "now"}}}}},
    ),
    Case(
        "ClusterRole",
        "/apis/rbac.authorization.k8s.io/v1/clusterroles/web",
        {"rules": [{"apiGroups": ["*"], "resources": ["*"], "verbs": ["*"]}]},
        ("rules",),
    ),
    Case(
        "RoleBinding",
        "/apis/rbac.authorization.k8s.io/v1/namespaces/{namespace}/rolebindings/web",
        {"subjects": None},
        ("subjects",),
    ),
    Case(
        "PersistentVolumeClaim",
        "/api/v1/namespaces/{namespace}/persistentvolumeclaims/data",
        {"metadata": {"labels": {contract.COMPONENT_LABEL: "theirs"}}},
        (f"metadata.labels.{contract.COMPONENT_LABEL}",),
    ),
    Case(
        "CustomResourceDefinition",
        "/apis/apiextensions.k8s.io/v1/customresourcedefinitions/gadgets.example.com",
        {"spec": {"names": {"shortNames": ["theirs"]}}},
        ("spec.names.shortNames",),
    ),
    Case(
        "Gadget",
        "/apis/example.com/v1/namespaces/{namespace}/gadgets/one",
        {"spec": {"size": 3, "parts": [{"name": "a"}, {"name": "theirs"}]}},
        ("spec.size (3 instead of 2)", "spec.parts"),
        {"spec": {"further": True}},
    ),
)


@pytest.fixture
def deployed(stack: Stack, api_server: ControlPlane, namespace: str) -> Stack:
    stack.program = objects(namespace)
    stack.up()
    assert differing(stack) == []
    return stack


def differing(stack: Stack) -> list[str]:
    """What differs, but the Pods' own state."""
    return stack.engine.live_state().lines()


def test_what_was_changed_by_hand_is_named_and_restored(
    deployed: Stack, api_server: ControlPlane, namespace: str
) -> None:
    for case in CASES:
        api_server.request("PATCH", case.at(namespace), case.ignored)
    assert differing(deployed) == []
    before = {case.kind: applied(api_server, case, namespace) for case in CASES}
    for case in CASES:
        api_server.request("PATCH", case.at(namespace), case.changed)
    told = differing(deployed)
    assert len(told) == len(CASES)
    for case in CASES:
        (line,) = (each for each in told if each.startswith(f"{case.kind} "))
        assert f"{case.name} was changed: " in line
        for each in case.fields:
            assert each in line
    planned = deployed.engine.preview()
    assert dict(planned.counts) == {"update": len(CASES)}
    assert {change.kind for change in planned.changes} == {case.kind for case in CASES}
    assert differing(deployed) == told  # a preview changes nothing

    assert deployed.up().counts == {"update": len(CASES)}
    assert differing(deployed) == []
    assert {case.kind: applied(api_server, case, namespace) for case in CASES} == before
    assert deployed.up().changed == 0
    seen = deployed.state_text() + "".join(map(str, [*deployed.shown, *told, planned]))
    assert CANARY not in seen
    assert NEW not in seen


def test_what_was_deleted_by_hand_is_named_and_made_again(
    deployed: Stack, api_server: ControlPlane, namespace: str
) -> None:
    kept = ConfigMap.__name__
    deleted = [case for case in CASES if case.kind not in {kept, "PersistentVolumeClaim"}]
    for case in deleted:  # the resource goes with its definition
        api_server.request("DELETE", case.at(namespace))
    told = differing(deployed)
    assert len(told) == len(deleted)
    assert all(each.endswith("is missing") for each in told)
    assert dict(deployed.engine.preview().counts) == {"create": len(deleted)}
    assert deployed.up().counts == {"create": len(deleted)}
    assert differing(deployed) == []
    assert all(api_server.request("GET", case.at(namespace)) for case in deleted)


def test_single_cases(
    deployed: Stack, api_server: ControlPlane, namespace: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One after the other on one stack, which takes long to deploy."""
    _a_secret_that_was_changed_and_changed_back_stays_watched(deployed, api_server, namespace)
    _without_a_look_nothing_is_named_and_nothing_restored(deployed, api_server, namespace)
    _what_is_being_deleted_is_named_and_left(deployed, api_server, namespace)
    _a_kind_is_listed_once(deployed, monkeypatch)
    _the_same_again_asks_the_cluster_alone(deployed, api_server, namespace, monkeypatch)


def _a_secret_that_was_changed_and_changed_back_stays_watched(
    deployed: Stack, api_server: ControlPlane, namespace: str
) -> None:
    path = f"/api/v1/namespaces/{namespace}/secrets/access"
    old = api_server.request("GET", path)["data"]["token"]
    for value in (NEW, old):
        api_server.request("PATCH", path, {"data": {"token": value}})
    assert differing(deployed) == []
    assert deployed.up().changed == 0
    api_server.request("PATCH", path, {"data": {"token": NEW}})
    assert differing(deployed) == [f"Secret {namespace}/access was changed: data.token"]
    deployed.up()
    assert api_server.request("GET", path)["data"]["token"] == old


def _without_a_look_nothing_is_named_and_nothing_restored(
    deployed: Stack, api_server: ControlPlane, namespace: str
) -> None:
    path = f"/api/v1/namespaces/{namespace}/configmaps/settings"
    api_server.request("PATCH", path, {"data": {"a": "theirs"}})
    assert deployed.engine.preview(refresh=False).changed == 0
    assert deployed.engine.up((), given=Given("x"), refresh=False).changed == 0
    assert api_server.request("GET", path)["data"]["a"] == "theirs"
    assert deployed.up().counts == {"update": 1}


def _what_is_being_deleted_is_named_and_left(
    deployed: Stack, api_server: ControlPlane, namespace: str
) -> None:
    path = f"/api/v1/namespaces/{namespace}/configmaps/settings"
    api_server.request("PATCH", path, {"metadata": {"finalizers": ["example.com/held"]}})
    api_server.request("DELETE", path)
    line = f"ConfigMap {namespace}/settings is being deleted"
    assert differing(deployed) == [line]
    assert deployed.up().live.lines() == [line]
    api_server.request("PATCH", path, {"metadata": {"finalizers": None}})
    assert deployed.up().counts == {"create": 1}


def _a_kind_is_listed_once(deployed: Stack, monkeypatch: pytest.MonkeyPatch) -> None:
    """A stack of hundreds of objects is compared by some dozen requests."""
    asked: list[str] = []
    original = Cluster.send

    def recording(self: Any, method: str, path: str, *more: Any, **named: Any) -> Any:
        asked.append(f"{method} {path}")
        return original(self, method, path, *more, **named)

    monkeypatch.setattr(Cluster, "send", recording)
    assert differing(deployed) == []
    assert sorted(set(asked)) == sorted(asked)
    assert len(asked) == 2 + len(CASES)  # two tell which kinds there are


def applied(api_server: ControlPlane, case: Case, namespace: str) -> Any:
    """The object but what the server counts and notes by itself."""
    found = api_server.request("GET", case.at(namespace))
    for each in ("managedFields", "resourceVersion", "generation", "annotations"):
        found["metadata"].pop(each, None)
    found.pop("status", None)
    return found


def objects(namespace: str) -> Program:
    labels = {contract.STACK_LABEL: NAME, contract.COMPONENT_LABEL: "web"}

    def meta(name: str, **more: Any) -> dict[str, Any]:
        return {"name": name, "namespace": namespace, "labels": dict(labels), **more}

    def program(opts: ResourceOptions) -> None:
        ConfigMap("settings", metadata=meta("settings"), data={"a": "1", "b": "2"}, opts=opts)
        token = pulumi.Output.secret("as-applied")
        Secret("access", metadata=meta("access"), string_data={"token": token}, opts=opts)
        port = {"name": "http", "port": 80, "targetPort": 8080}
        Service(
            "web",
            metadata=meta("web"),
            spec={"selector": {"app": "web"}, "ports": [port]},
            opts=opts,
        )
        deployment(
            "web", namespace, "good/app:1", opts, marks=labels, replicas=1, container=CONTAINER
        )
        rule = {"apiGroups": [""], "resources": ["pods"], "verbs": ["get"]}
        ClusterRole("web", metadata={"name": "web", "labels": labels}, rules=[rule], opts=opts)
        RoleBinding(
            "web",
            metadata=meta("web"),
            role_ref={
                "apiGroup": "rbac.authorization.k8s.io",
                "kind": "ClusterRole",
                "name": "web",
            },
            subjects=[{"kind": "ServiceAccount", "name": "web", "namespace": namespace}],
            opts=opts,
        )
        claim = {
            "accessModes": ["ReadWriteOnce"],
            "resources": {"requests": {"storage": "1024Mi"}},  # the server says 1Gi
        }
        PersistentVolumeClaim("data", metadata=meta("data"), spec=claim, opts=opts)
        _gadget(meta, opts)

    return program


CONTAINER = {
    "env": [{"name": "EMPTY", "value": ""}, {"name": "MODE", "value": "fast"}],
    "ports": [{"containerPort": 8080}],
    "resources": {"requests": {"cpu": "1000m", "memory": "1024Mi"}},
    "args": ["--port", "8080"],
}


def _gadget(meta: Any, opts: ResourceOptions) -> None:
    spec = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
    version = {
        "name": "v1",
        "served": True,
        "storage": True,
        "schema": {"openAPIV3Schema": {"type": "object", "properties": {"spec": spec}}},
    }
    crd = CustomResourceDefinition(
        "gadgets",
        metadata={"name": "gadgets.example.com", "labels": meta("x")["labels"]},
        spec={
            "group": "example.com",
            "scope": "Namespaced",
            "names": {"plural": "gadgets", "kind": "Gadget", "shortNames": ["gg"]},
            "versions": [version],
        },
        opts=opts,
    )
    CustomResource(
        "gadget",
        api_version="example.com/v1",
        kind="Gadget",
        metadata=meta("one"),
        spec={"size": 2, "parts": [{"name": "a"}]},
        opts=ResourceOptions.merge(opts, ResourceOptions(depends_on=[crd])),
    )


def _the_same_again_asks_the_cluster_alone(
    deployed: Stack, api_server: ControlPlane, namespace: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Pulumi is not started where program, secrets, state and cluster are the last run's."""
    given = Given("asked", "inputs")
    assert deployed.engine.up((), given=given).changed == 0
    with monkeypatch.context() as without_pulumi:
        without_pulumi.setattr(Engine, "_open", lambda _self: pytest.fail("Pulumi was started"))
        assert deployed.engine.up((), given=given).changed == 0
    path = f"/api/v1/namespaces/{namespace}/configmaps/settings"
    api_server.request("PATCH", path, {"data": {"a": "theirs"}})
    assert deployed.engine.up((), given=given).counts == {"update": 1}
    assert api_server.request("GET", path)["data"]["a"] != "theirs"
    deployed.program = lambda opts: objects(namespace)(
        ResourceOptions.merge(opts, ResourceOptions(protect=True))
    )
    assert deployed.engine.up((), given=Given("asked for protection", "inputs")).changed == 0
    assert all(each.get("protect") for each in deployed.resources("ConfigMap"))
