"""`down` with what real clusters have: everything that holds is named, and goes with consent.

Each case prints its seconds: until all that holds was named, and until nothing was left.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from mlops_infra import contract
from mlops_infra.errors import FoundError
from mlops_infra.kube import Cluster
from mlops_infra.progress import quiet
from mlops_infra.teardown import DownOptions, DownResult
from mlops_infra.teardown.kubernetes.access import open_cluster
from mlops_infra.teardown.kubernetes.down import take_apart
from mlops_infra.teardown.model.state import Deployed
from tests.engine.control_plane import ControlPlane
from tests.figures import record

# the control plane of the tests has a certificate that it made for itself
pytestmark = pytest.mark.filterwarnings("ignore:Unverified HTTPS request")

GROUP = "held.example.com"
FINALIZER = f"{GROUP}/protect"
STACK = "held"
SHORT = 3.0
"""Seconds of patience; `down` itself has 40."""
PATIENCE = float(os.environ.get("MLOPS_INFRA_PATIENCE", SHORT))
"""The same where the naming is measured: `make bench` gives it what `down` has."""
ADMISSION = "/apis/admissionregistration.k8s.io/v1"
WEBHOOKS = f"{ADMISSION}/validatingwebhookconfigurations"
DEFINITIONS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
API_SERVICES = "/apis/apiregistration.k8s.io/v1/apiservices"


def _until(done: Callable[[], Any], seconds: float = 30) -> Any:
    ends = time.monotonic() + seconds
    while not (found := done()):
        assert time.monotonic() < ends, "it did not come to be"
        time.sleep(0.1)
    return found


class Site:
    """One namespace of a stack, as its state records it, and a destroy like the engine's."""

    def __init__(self, plane: ControlPlane, namespace: str) -> None:
        self.plane, self.namespace = plane, namespace
        self.cluster: Cluster = open_cluster(str(plane.kubeconfig), None)
        self.path = f"/api/v1/namespaces/{namespace}"
        self.deployed = Deployed(
            ({"type": "kubernetes:core/v1:Namespace", "id": namespace, "urn": "u::n"},)
        )

    def make(self, plural: str, name: str, **more: Any) -> str:
        metadata = {"name": name, **more.pop("metadata", {})}
        self.plane.request("POST", f"{self.path}/{plural}", {"metadata": metadata, **more})
        return f"{self.path}/{plural}/{name}"

    def down(self, patience: float = SHORT, **options: bool) -> DownResult:
        done = DownResult(STACK)
        take_apart(
            self.cluster,
            self.deployed,
            self._destroy,
            DownOptions(**options),
            done,
            quiet,
            patience=patience,
        )
        return done

    def _destroy(self) -> int:
        paths = [f"/api/v1/namespaces/{name}" for name in self.deployed.namespaces]
        for path in paths:
            self.plane.request("DELETE", path)
        _until(lambda: not any(self.plane.request("GET", path) for path in paths))
        return len(paths)

    def gone(self) -> bool:
        return self.plane.request("GET", self.path) is None

    def named(self, figure: str, **options: bool) -> list[str]:
        """All that holds, as `down` names it without consent."""
        started = time.monotonic()
        with pytest.raises(FoundError) as error:
            self.down(PATIENCE, **options)
        seconds = time.monotonic() - started
        record(figure, seconds, "named in")
        assert "--remove-blockers" in (error.value.hint or "")
        return list(error.value.findings)

    def cleared(self, **options: bool) -> list[str]:
        """What `down` took out of the way with consent; nothing is left."""
        started = time.monotonic()
        done = self.down(remove_blockers=True, **options)
        print(f"\n    nothing left after {time.monotonic() - started:.1f} s", end="")  # noqa: T201
        assert self.gone()
        assert done.leftovers == []
        return done.cleared


@pytest.fixture
def site(api_server: ControlPlane, namespace: str) -> Site:
    return Site(api_server, namespace)


def _definition(name: str, versions: list[dict[str, Any]]) -> dict[str, Any]:
    names = {"plural": f"{name}s", "singular": name, "kind": name.title()}
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"{name}s.{GROUP}"},
        "spec": {"group": GROUP, "scope": "Namespaced", "names": names, "versions": versions},
    }


def _version(name: str, *, served: bool = True, storage: bool = True) -> dict[str, Any]:
    schema = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
    return {
        "name": name,
        "served": served,
        "storage": storage,
        "schema": {"openAPIV3Schema": schema},
    }


@pytest.fixture
def widgets(site: Site) -> Iterator[str]:
    """A definition with an old and a new version; the group prefers the new one."""
    versions = [_version("v1alpha1"), _version("v1", storage=False)]
    site.plane.request("POST", DEFINITIONS, _definition("widget", versions))
    path = f"/apis/{GROUP}/v1alpha1/namespaces/{site.namespace}/widgets"
    body = {
        "apiVersion": f"{GROUP}/v1alpha1",
        "kind": "Widget",
        "metadata": {"name": "held", "finalizers": [FINALIZER]},
    }
    # the API server takes a kind and tells of it at different moments
    _until(lambda: site.plane.request("POST", path, body))
    served = {f"{GROUP}/v1alpha1", f"{GROUP}/v1"}
    _until(lambda: served <= {kind.version for kind in site.cluster.kinds(fresh=True)})
    yield f"{path}/held"
    # after a failure it is still there, and would hold the definition
    for version in ("v1alpha1", "v1"):
        held = f"/apis/{GROUP}/{version}/namespaces/{site.namespace}/widgets/held"
        site.plane.request("PATCH", held, {"metadata": {"finalizers": None}})
    definition = f"{DEFINITIONS}/widgets.{GROUP}"
    site.plane.request("DELETE", definition)
    _until(lambda: site.plane.request("GET", definition) is None)


@pytest.fixture
def dead_webhook(site: Site) -> Iterator[str]:
    """Somebody else's webhook on every kind in the namespace, whose Service is not there."""
    rule = {
        "apiGroups": ["*"],
        "apiVersions": ["*"],
        "operations": ["DELETE", "UPDATE"],
        "resources": ["*"],
    }
    selector = {"matchLabels": {"kubernetes.io/metadata.name": site.namespace}}
    webhook = {
        "name": f"all.{GROUP}",
        "clientConfig": {"service": {"namespace": "elsewhere", "name": "policy"}},
        "rules": [rule],
        "namespaceSelector": selector,
        "failurePolicy": "Fail",
        "sideEffects": "None",
        "admissionReviewVersions": ["v1"],
    }
    body = {
        "apiVersion": "admissionregistration.k8s.io/v1",
        "kind": "ValidatingWebhookConfiguration",
        "metadata": {"name": "policy"},
        "webhooks": [webhook],
    }
    site.plane.request("POST", WEBHOOKS, body)
    yield f"{WEBHOOKS}/policy"
    site.plane.request("DELETE", f"{WEBHOOKS}/policy")


@pytest.fixture
def dead_api_service(site: Site) -> Iterator[None]:
    body = {
        "apiVersion": "apiregistration.k8s.io/v1",
        "kind": "APIService",
        "metadata": {"name": "v1.dead.example.com"},
        "spec": {
            "group": "dead.example.com",
            "version": "v1",
            "groupPriorityMinimum": 100,
            "versionPriority": 100,
            "insecureSkipTLSVerify": True,
            "service": {"namespace": "elsewhere", "name": "metrics"},
        },
    }
    site.plane.request("POST", API_SERVICES, body)
    path = f"{API_SERVICES}/v1.dead.example.com"
    _until(lambda: (site.plane.request("GET", path).get("status") or {}).get("conditions"))
    yield
    site.plane.request("DELETE", path)


@pytest.mark.parametrize("plural", ["configmaps", "secrets", "serviceaccounts"])
def test_a_finalizer_on_any_kind_is_named_and_taken_off_with_consent(
    site: Site, plural: str
) -> None:
    site.make(plural, "free")
    site.make(plural, "held", metadata={"finalizers": [FINALIZER]})
    (line,) = site.named("teardown_finalizer")
    assert f"{site.namespace}/held: finalizer {FINALIZER}" in line
    assert not site.gone()
    (said,) = site.cleared()
    assert FINALIZER in said


def test_a_custom_resource_without_its_controller(site: Site, widgets: str) -> None:
    """It is of an older version than the group prefers, and its finalizer waits for nobody."""
    (line,) = site.named("teardown_custom_resource")
    assert f"Widget {site.namespace}/held: finalizer {FINALIZER}" in line
    assert site.plane.request("GET", widgets) is not None
    site.cleared()


def test_a_custom_resource_whose_version_is_served_no_more(site: Site, widgets: str) -> None:
    """It was stored in a version that is gone from the API; the other one still shows it."""
    body = {
        "spec": {"versions": [_version("v1alpha1", served=False), _version("v1", storage=False)]}
    }
    site.plane.request("PATCH", f"{DEFINITIONS}/widgets.{GROUP}", body)
    _until(lambda: site.plane.request("GET", widgets) is None)
    (line,) = site.named("teardown_custom_resource")
    assert f"Widget {site.namespace}/held" in line
    site.cleared()


def test_a_dead_webhook_is_named_before_anything_is_removed(
    site: Site, widgets: str, dead_webhook: str
) -> None:
    """It is asked about updates too: the finalizer goes only once the webhook is out of the way."""
    kept = site.make("configmaps", "settings")
    named = site.named("teardown_webhook_delete")
    assert any("ValidatingWebhookConfiguration policy: it stops" in line for line in named)
    assert any("Service elsewhere/policy does not exist" in line for line in named)
    assert any(f"Widget {site.namespace}/held: finalizer" in line for line in named)
    assert "deletionTimestamp" not in site.plane.request("GET", kept)["metadata"]
    site.cleared()
    # somebody else's webhook is as it was
    (webhook,) = site.plane.request("GET", dead_webhook)["webhooks"]
    assert (webhook["failurePolicy"], webhook["timeoutSeconds"]) == ("Fail", 10)


def test_a_dead_webhook_for_updates_alone(site: Site, widgets: str, dead_webhook: str) -> None:
    """Deletions are let through, but the finalizer cannot be taken off."""
    (webhook,) = site.plane.request("GET", dead_webhook)["webhooks"]
    rules = [{**webhook["rules"][0], "operations": ["UPDATE"]}]
    site.plane.request("PATCH", dead_webhook, {"webhooks": [{**webhook, "rules": rules}]})
    named = site.named("teardown_webhook_update")
    assert any("Configuration policy: it stops" in line for line in named)
    site.cleared()


def test_a_controller_that_was_scaled_to_nothing(
    site: Site, widgets: str, dead_webhook: str
) -> None:
    """One of ours: its webhook goes for good, its finalizer afterwards."""
    service = {"ports": [{"port": 443}], "selector": {"app": "controller"}}
    site.make("services", "controller", spec=service)
    site.plane.request(
        "PATCH", dead_webhook, {"metadata": {"labels": {contract.STACK_LABEL: STACK}}}
    )
    where = {"service": {"namespace": site.namespace, "name": "controller"}}
    (webhook,) = site.plane.request("GET", dead_webhook)["webhooks"]
    webhooks = [{**webhook, "clientConfig": where}]
    site.plane.request("PATCH", dead_webhook, {"webhooks": webhooks})
    named = site.named("teardown_controller")
    why = f"Service {site.namespace}/controller has no ready endpoint"
    assert any("Configuration policy: it stops" in line and why in line for line in named)
    assert any(f"Widget {site.namespace}/held: finalizer" in line for line in named)
    site.cleared()
    assert site.plane.request("GET", dead_webhook) is None


def test_custom_resources_that_nobody_can_convert(site: Site, widgets: str) -> None:
    """Stored in a version that is served no more, behind a conversion webhook that is gone."""
    path = f"{DEFINITIONS}/widgets.{GROUP}"
    where = {"service": {"namespace": "elsewhere", "name": "conversion"}}
    conversion = {
        "strategy": "Webhook",
        "webhook": {"clientConfig": where, "conversionReviewVersions": ["v1"]},
    }
    versions = [_version("v1alpha1", served=False), _version("v1", storage=False)]
    body = {"spec": {"versions": versions, "conversion": conversion}}
    site.plane.request("PATCH", path, body)
    _until(lambda: site.plane.request("GET", widgets) is None)
    (line,) = site.named("teardown_custom_resource")
    assert f"CustomResourceDefinition widgets.{GROUP}: its objects cannot be read" in line
    site.cleared()
    after = site.plane.request("GET", path)["spec"]["conversion"]
    assert after["webhook"]["clientConfig"]["service"]["name"] == "conversion"


def test_a_finalizer_outside_of_any_namespace(site: Site) -> None:
    roles = "/apis/rbac.authorization.k8s.io/v1/clusterroles"
    metadata = {"name": "held", "finalizers": [FINALIZER], "labels": {contract.STACK_LABEL: STACK}}
    site.plane.request("POST", roles, {"metadata": metadata})
    (line,) = site.named("teardown_finalizer")
    assert f"ClusterRole held: finalizer {FINALIZER}" in line
    site.cleared()
    assert site.plane.request("GET", f"{roles}/held") is None


def test_an_api_service_without_a_server(site: Site, dead_api_service: None) -> None:
    site.make("configmaps", "settings")
    (line,) = site.named("teardown_api_service")
    assert "APIService v1.dead.example.com: no server answers for it" in line
    site.cleared()


def test_a_namespace_that_was_deleted_by_hand_and_hangs(site: Site) -> None:
    site.make("secrets", "held", metadata={"finalizers": [FINALIZER]})
    site.plane.request("DELETE", site.path)
    named = site.named("teardown_namespace")
    assert any(f"Secret {site.namespace}/held: finalizer {FINALIZER}, for" in n for n in named)
    assert any(f"Namespace {site.namespace}: Terminating: " in line for line in named)
    site.cleared()


def test_all_at_once(site: Site, widgets: str, dead_api_service: None, dead_webhook: str) -> None:
    site.make("configmaps", "held", metadata={"finalizers": [FINALIZER]})
    named = " ".join(site.named("teardown_own_cluster"))
    for each in ("APIService v1.dead", "Configuration policy", "Widget", f"{site.namespace}/held"):
        assert each in named
    site.cleared()


def test_a_namespace_without_any_of_it_goes_as_it_is(site: Site) -> None:
    site.make("configmaps", "settings")
    assert site.down().cleared == []
    assert site.gone()


def test_other_namespaces_are_not_touched(site: Site) -> None:
    path = "/api/v1/namespaces/default/configmaps"
    metadata = {"name": "alien", "finalizers": [FINALIZER]}
    site.plane.request("POST", path, {"metadata": metadata})
    try:
        assert site.cleared() == []
        assert "deletionTimestamp" not in site.plane.request("GET", f"{path}/alien")["metadata"]
    finally:
        site.plane.request("PATCH", f"{path}/alien", {"metadata": {"finalizers": None}})
        site.plane.request("DELETE", f"{path}/alien")


def test_what_tenants_have_goes_while_a_store_is_there(site: Site, widgets: str) -> None:
    """A controller that cleans up in a store, which is a custom resource itself."""
    tenant = Site(site.plane, contract.tenant_namespace(site.namespace))
    site.plane.request("POST", "/api/v1/namespaces", {"metadata": {"name": tenant.namespace}})
    trial = widgets.replace(f"/{site.namespace}/", f"/{tenant.namespace}/")
    body = {"apiVersion": f"{GROUP}/v1alpha1", "kind": "Widget"}
    metadata = {"name": "held", "finalizers": [FINALIZER]}
    site.plane.request("POST", trial.rpartition("/")[0], {**body, "metadata": metadata})
    site.plane.request("PATCH", widgets, {"metadata": {"finalizers": None}})
    site.deployed = Deployed((*site.deployed.resources, *tenant.deployed.resources))

    def clean_up() -> None:
        _until(lambda: "deletionTimestamp" in site.plane.request("GET", trial)["metadata"])
        if site.plane.request("GET", widgets):
            site.plane.request("PATCH", trial, {"metadata": {"finalizers": None}})

    controller = threading.Thread(target=clean_up)
    controller.start()
    try:
        assert site.down().cleared == []
    finally:
        controller.join()
        site.plane.request("PATCH", trial, {"metadata": {"finalizers": None}})
        site.plane.request("DELETE", tenant.path)
