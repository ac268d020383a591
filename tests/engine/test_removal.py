"""A line taken out of the stack's file: refused in words and numbers, and with consent in order."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any, cast

import pulumi
import pytest
from pulumi import ResourceOptions
from pulumi_kubernetes.core.v1 import Namespace, ResourceQuota

from mlops_infra.engine.last_run import Given
from mlops_infra.engine.prepare import Asked
from mlops_infra.errors import InputError
from mlops_infra.progress import quiet
from mlops_infra.teardown import RemovalGuard
from mlops_infra.teardown.model.state import APPLICATION
from tests.engine.control_plane import ControlPlane
from tests.engine.stacks import NAME, Stack
from tests.engine.workloads import deployment

pytestmark = pytest.mark.filterwarnings(
    "ignore::urllib3.exceptions.InsecureRequestWarning", "ignore:Unverified HTTPS request"
)

OPERATOR = "/apis/apps/v1/namespaces/removal-operators/deployments/kserve"
SERVICES = "/apis/serving.kserve.io/v1beta1/namespaces/tenant-demo/inferenceservices"
SPACE = "/api/v1/namespaces/tenant-demo"
DEFINITIONS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
BUCKET = "bucket tenant-demo: 12 objects, 3 MiB, kept (onRemoval: archive)"


@dataclass
class Platform:
    """What the stack's file says, and the program that does it."""

    components: list[str] = field(default_factory=lambda: ["kserve"])
    tenants: list[str] = field(default_factory=lambda: ["demo"])
    storage: str = "10Gi"
    allowed: list[str] = field(default_factory=list)

    def asked(self) -> Asked:
        """As far as the guard reads it."""
        config = SimpleNamespace(
            tenants=dict.fromkeys(self.tenants), allow_removal=self.allowed, environment="dev"
        )
        plan = SimpleNamespace(components=[SimpleNamespace(name=n) for n in self.components])
        return cast("Asked", SimpleNamespace(stack=NAME, config=config, plan=plan))

    def program(self, opts: ResourceOptions) -> None:
        for name in self.tenants:
            space = f"tenant-{name}"
            made = Namespace(space, metadata={"name": space}, opts=opts)
            ResourceQuota(
                f"{space}-quota",
                metadata={"name": "quota", "namespace": space},
                spec={"hard": {"requests.storage": self.storage}},
                opts=ResourceOptions.merge(opts, ResourceOptions(depends_on=[made])),
            )
        if "kserve" in self.components:
            app = pulumi.ComponentResource(APPLICATION, "kserve", {}, opts)
            below = ResourceOptions.merge(opts, ResourceOptions(parent=app))
            deployment("kserve", "removal-operators", "good/app:1", below)


def guarded(stack: Stack, platform: Platform) -> dict[str, Any]:
    guard = RemovalGuard(platform.asked(), stack.engine, quiet, lambda _tenant: [BUCKET])
    return {"allow": guard.allow, "make_way": guard.make_way}


def up(stack: Stack, platform: Platform) -> None:
    stack.engine.up((), given=Given(repr(platform)), **guarded(stack, platform))


def refusal(stack: Stack, platform: Platform) -> str:
    """Why `up` does nothing; what `preview` says is the same."""
    with pytest.raises(InputError, match="nothing was changed") as caught:
        up(stack, platform)
    guard = RemovalGuard(platform.asked(), stack.engine, quiet, lambda _tenant: [BUCKET])
    for line in guard.look(stack.engine.preview())[:-1]:
        assert line in caught.value.what
    return f"{caught.value.what}\n{caught.value.hint}"


@contextmanager
def operator(api_server: ControlPlane) -> Iterator[list[str]]:
    """Cleans up behind deleted models as long as its Deployment is there."""
    done: list[str] = []
    ended = threading.Event()

    def run() -> None:
        while not ended.wait(0.2):
            if not (api_server.request("GET", OPERATOR) or {}).get("spec", {}).get("replicas"):
                continue
            for each in (api_server.request("GET", SERVICES) or {}).get("items", ()):
                about = each["metadata"]
                if about.get("deletionTimestamp"):
                    done.append(about["name"])
                    path = f"{SERVICES}/{about['name']}"
                    api_server.request("PATCH", path, {"metadata": {"finalizers": None}})

    thread = threading.Thread(target=run)
    thread.start()
    try:
        yield done
    finally:
        ended.set()
        thread.join()


def test_people_lose_only_what_is_named(stack: Stack, api_server: ControlPlane) -> None:
    platform = Platform()
    stack.program = platform.program
    define(api_server)
    up(stack, platform)
    occupy(api_server)

    platform.storage = "1Gi"
    told = refusal(stack, platform)
    assert "requests.storage: 3Gi are used, the new quota is 1Gi" in told
    assert "allowRemoval: [quota/demo]" in told
    platform.storage = "10Gi"

    platform.components = []
    told = refusal(stack, platform)
    assert "1 InferenceService (tenant-demo/iris)" in told
    assert "allowRemoval: [component/kserve]" in told
    assert api_server.request("GET", OPERATOR)["spec"]["replicas"] == 1
    assert "deletionTimestamp" not in api_server.request("GET", f"{SERVICES}/iris")["metadata"]

    platform.allowed = ["component/kserve"]
    with operator(api_server) as cleaned:
        up(stack, platform)
    assert cleaned == ["iris"]  # while its operator still ran, or it would be there for ever
    assert api_server.request("GET", f"{SERVICES}/iris") is None
    assert api_server.request("GET", OPERATOR) is None

    platform.tenants = ["renamed"]
    told = refusal(stack, platform)
    for words in (
        "0 models that serve",
        "1 volume with 3 GiB",
        "1 schedule (nightly)",
        BUCKET,
        "a renamed tenant is another one: renamed begins empty, nothing of demo moves there",
    ):
        assert words in told
    assert api_server.request("GET", SPACE)["status"]["phase"] == "Active"

    platform.allowed = ["tenant/demo"]
    up(stack, platform)
    assert api_server.request("GET", SPACE) is None
    assert api_server.request("GET", "/api/v1/namespaces/tenant-renamed")
    stack.down()


def define(api_server: ControlPlane) -> None:
    space = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "removal-operators"}}
    api_server.request("POST", "/api/v1/namespaces", space)
    schema = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
    version = {
        "name": "v1beta1",
        "served": True,
        "storage": True,
        "schema": {"openAPIV3Schema": schema},
    }
    names = {"plural": "inferenceservices", "kind": "InferenceService"}
    definition = {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": "inferenceservices.serving.kserve.io"},
        "spec": {
            "group": "serving.kserve.io",
            "scope": "Namespaced",
            "names": names,
            "versions": [version],
        },
    }
    api_server.request("POST", DEFINITIONS, definition)


def occupy(api_server: ControlPlane) -> None:
    """What people have made in their namespace."""
    claim = {
        "apiVersion": "v1",
        "kind": "PersistentVolumeClaim",
        "metadata": {"name": "notebook-kim"},
        "spec": {
            "accessModes": ["ReadWriteOnce"],
            "resources": {"requests": {"storage": "3Gi"}},
        },
    }
    api_server.request("POST", f"{SPACE}/persistentvolumeclaims", claim)
    model = {
        "apiVersion": "serving.kserve.io/v1beta1",
        "kind": "InferenceService",
        "metadata": {"name": "iris", "finalizers": ["inferenceservice.finalizers"]},
    }
    api_server.request("POST", SERVICES, model)
    pod = {"restartPolicy": "Never", "containers": [{"name": "main", "image": "good/app:1"}]}
    job = {
        "apiVersion": "batch/v1",
        "kind": "CronJob",
        "metadata": {"name": "nightly"},
        "spec": {"schedule": "0 3 * * *", "jobTemplate": {"spec": {"template": {"spec": pod}}}},
    }
    api_server.request("POST", "/apis/batch/v1/namespaces/tenant-demo/cronjobs", job)
    quota = f"{SPACE}/resourcequotas/quota"
    api_server.until(
        lambda: (
            (api_server.request("GET", quota).get("status") or {})
            .get("used", {})
            .get("requests.storage")
            == "3Gi"
        )
    )
