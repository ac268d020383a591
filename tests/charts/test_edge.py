"""Envoy Gateway: what the edge starts, whom it believes, and where its routes lead."""

from __future__ import annotations

import pytest
import yaml

from tests.charts.rendering import (
    CASES,
    RefusedError,
    both,
    config_file,
    defaults,
    one,
    render,
    text,
)


def test_the_edge_starts_no_image_that_upstream_overwrites_daily() -> None:
    config = yaml.safe_load(config_file("envoy-gateway", "envoy-gateway.yaml"))
    shutdown = config["provider"]["kubernetes"]["shutdownManager"]["image"]
    assert shutdown == defaults("envoy-gateway")["images"]["controller"]
    proxy = one(render("envoy-gateway"), "EnvoyProxy")["spec"]["provider"]["kubernetes"]
    assert (
        proxy["envoyDeployment"]["container"]["image"]
        == defaults("envoy-gateway")["images"]["proxy"]
    )


def test_the_controller_finds_the_proxies_that_it_makes() -> None:
    """Its Deployment selects by labels that the chart's own would otherwise replace."""
    proxy = one(render("envoy-gateway"), "EnvoyProxy")["spec"]["provider"]["kubernetes"]
    labels = proxy["envoyDeployment"]["pod"]["labels"]
    selector = {"name": "envoy", "component": "proxy", "managed-by": "envoy-gateway"}
    assert {f"app.kubernetes.io/{key}": value for key, value in selector.items()}.items() <= (
        labels.items()
    )


def test_a_proxy_that_ends_tells_when_its_connections_are_gone() -> None:
    proxy = one(render("envoy-gateway"), "EnvoyProxy")["spec"]["provider"]["kubernetes"]
    pod = proxy["envoyDeployment"]["patch"]["value"]["spec"]["template"]["spec"]
    mounts = {each["name"]: each["volumeMounts"] for each in pod["containers"]}
    assert mounts["shutdown-manager"] == [{"name": "tmp", "mountPath": "/tmp"}]
    assert pod["volumes"][0]["name"] == "tmp"


def test_browsers_sign_in_and_models_are_asked_with_tokens() -> None:
    manifests = render("envoy-gateway", CASES["envoy-gateway"].variants[0])
    asked = {ref["name"] for ref in one(manifests, "SecurityPolicy")["spec"]["targetRefs"]}
    assert asked == {"mlflow", "notebook-demo-kim"}
    routes = {m["metadata"]["name"]: m["spec"] for m in manifests if m["kind"] == "HTTPRoute"}
    assert routes["notebook-demo-kim"]["hostnames"] == ["notebooks.mlops.example.com"]
    assert routes["models"]["parentRefs"][0]["sectionName"] == "https"
    backends = {m["metadata"]["name"]: m["spec"] for m in manifests if m["kind"] == "Backend"}
    assert backends["models"]["endpoints"] == [
        {"fqdn": {"hostname": "gateway.lifecycle.svc.cluster.local", "port": 8000}}
    ]


@pytest.mark.parametrize("variant", [0, 1], ids=["with login", "without"])
def test_no_request_says_who_it_is_from(variant: int) -> None:
    """Katib's page believes the header whoever sends it."""
    manifests = render("envoy-gateway", CASES["envoy-gateway"].variants[variant])
    policy = one(manifests, "ClientTrafficPolicy")
    (target,) = policy["spec"]["targetRefs"]
    gateway = one(manifests, "Gateway")["metadata"]["name"]
    assert (target["kind"], target["name"]) == ("Gateway", gateway)
    assert "sectionName" not in target, "all listeners"
    removed = policy["spec"]["headers"]["earlyRequestHeaders"]["remove"]
    assert {"kubeflow-userid", "kubeflow-groups"} <= set(removed)
    routes = [each["metadata"] for each in manifests if each["kind"] == "HTTPRoute"]
    assert routes
    for route in routes:
        before = route["annotations"]["config.kubernetes.io/depends-on"]
        assert before.endswith(f"/ClientTrafficPolicy/{policy['metadata']['name']}")


def test_the_edge_reads_secrets_of_its_own_namespace_alone() -> None:
    """Upstream's controller reads every Secret of the cluster."""
    manifests = render("envoy-gateway")
    config = yaml.safe_load(config_file("envoy-gateway", "envoy-gateway.yaml"))
    watched = config["provider"]["kubernetes"]["watch"]
    assert watched == {"type": "Namespaces", "namespaces": ["gateway"]}
    (everywhere,) = (m for m in manifests if m["kind"] == "ClusterRole")
    named = {resource for rule in everywhere["rules"] for resource in rule["resources"]}
    assert named == {"gatewayclasses", "gatewayclasses/status", "namespaces", "nodes"}


def test_a_login_without_encryption_is_refused() -> None:
    values = both(CASES["envoy-gateway"].variants[0], {"tls": {"secret": ""}})
    with pytest.raises(RefusedError, match="unencrypted"):
        text("envoy-gateway", values)
