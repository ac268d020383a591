"""Every rendered Pod is locked down, in every chart, every example stack and every variant."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import pytest

from tests.charts.hardening import COMMON_LABELS, findings, selects
from tests.charts.rendering import (
    NAMES,
    NAMESPACES,
    Manifest,
    containers,
    one,
    planned,
    planned_values,
    pods,
    render,
)

STACK = {"commonLabels": {"mlops-infra.dev/stack": "sandbox"}}
VARIANTS: dict[str, list[Manifest]] = {
    "mlflow": [
        {"auth": {"enabled": True}, "replicas": 3},
        {"trustedCa": {"configMap": "site-ca"}, "objectStore": {"endpoint": "", "secret": ""}},
    ],
    "postgresql": [
        {"databases": [{"secret": "mlflow-db"}], "podDisruptionBudget": {"enabled": True}}
    ],
    "valkey": [{"podDisruptionBudget": {"enabled": True}, "service": {"type": "LoadBalancer"}}],
    "versitygw": [{"accessLog": True, "service": {"type": "NodePort", "nodePort": 30900}}],
}


@pytest.mark.parametrize("chart", NAMES)
def test_every_variant_keeps_the_rules(chart: str) -> None:
    for variant in ({}, *VARIANTS[chart]):
        assert findings(render(chart, {**STACK, **variant})) == []


@pytest.mark.parametrize(("stack", "chart"), planned())
def test_every_example_stack_keeps_the_rules(stack: str, chart: str) -> None:
    namespace, values = planned_values(stack, chart)
    manifests = render(chart, values, namespace)
    assert findings(manifests) == []
    assert {each["metadata"]["namespace"] for each in manifests} == {namespace}


@pytest.mark.parametrize("chart", NAMES)
def test_services_reach_the_servers_and_nothing_else(chart: str) -> None:
    manifests = render(chart, {**STACK, **VARIANTS[chart][0]})
    service = one(manifests, "Service")
    assert service["metadata"]["name"] == chart
    for name, pod in pods(manifests).items():
        chosen = selects(service["spec"]["selector"], pod["metadata"]["labels"])
        assert chosen == (not name.startswith("Job/"))
        if chosen:
            names = {p["name"] for c in containers(pod) for p in c.get("ports", [])}
            assert {p["targetPort"] for p in service["spec"]["ports"]} <= names


def test_a_closed_service_lets_in_its_declared_clients_alone() -> None:
    client = {"namespace": "mlflow", "podLabels": {"app.kubernetes.io/name": "mlflow"}}
    for chart in ("postgresql", "valkey", "versitygw"):
        quiet = one(render(chart), "NetworkPolicy", chart)["spec"]
        assert not [rule for rule in quiet["ingress"] if "podSelector" not in rule["from"][0]]
        opened = one(
            render(chart, {"networkPolicy": {"clients": [client]}}), "NetworkPolicy", chart
        )
        peer = opened["spec"]["ingress"][0]["from"][0]
        assert peer["namespaceSelector"]["matchLabels"] == {"kubernetes.io/metadata.name": "mlflow"}
        assert peer["podSelector"]["matchLabels"] == client["podLabels"]
        assert opened["spec"]["egress"] == []


@pytest.mark.parametrize("chart", NAMES)
def test_a_port_on_the_nodes_can_be_kept_to_address_ranges(chart: str) -> None:
    service = {"type": "NodePort", "nodePort": 30500}
    values = {"service": service, "networkPolicy": {"externalCidrs": ["192.0.2.0/24"]}}
    rules = one(render(chart, values), "NetworkPolicy", chart)["spec"]["ingress"]
    assert [{"ipBlock": {"cidr": "192.0.2.0/24"}}] in [rule.get("from") for rule in rules]
    assert all("from" in rule for rule in rules)


def _pod_spec(manifests: list[Manifest]) -> Manifest:
    spec: Manifest = one(manifests, "StatefulSet")["spec"]["template"]["spec"]
    return spec


def _server(manifests: list[Manifest]) -> Manifest:
    container: Manifest = _pod_spec(manifests)["containers"][0]
    return container


MUTANTS: dict[str, Callable[[list[Manifest]], Any]] = {
    "root": lambda m: _pod_spec(m)["securityContext"].update(runAsNonRoot=False),
    "user": lambda m: _pod_spec(m)["securityContext"].update(runAsUser=0),
    "group": lambda m: _pod_spec(m)["securityContext"].pop("fsGroup"),
    "modes": lambda m: _pod_spec(m)["securityContext"].pop("fsGroupChangePolicy"),
    "seccomp": lambda m: _pod_spec(m)["securityContext"].pop("seccompProfile"),
    "token": lambda m: _pod_spec(m).pop("automountServiceAccountToken"),
    "links": lambda m: _pod_spec(m).pop("enableServiceLinks"),
    "account": lambda m: _pod_spec(m).pop("serviceAccountName"),
    "host network": lambda m: _pod_spec(m).update(hostNetwork=True),
    "host path": lambda m: _pod_spec(m)["volumes"].append({"name": "x", "hostPath": {"path": "/"}}),
    "escalation": lambda m: _server(m)["securityContext"].pop("allowPrivilegeEscalation"),
    "writes": lambda m: _server(m)["securityContext"].update(readOnlyRootFilesystem=False),
    "capability": lambda m: _server(m)["securityContext"].update(
        capabilities={"add": ["SYS_PTRACE"]}
    ),
    "privileged": lambda m: _server(m)["securityContext"].update(privileged=True),
    "limits": lambda m: _server(m)["resources"]["limits"].pop("memory"),
    "probe": lambda m: _server(m).pop("livenessProbe"),
    "port": lambda m: _server(m)["ports"][0].update(hostPort=5432),
    "clear password": lambda m: _server(m)["env"].append({"name": "PGPASSWORD", "value": "x"}),
    "argument": lambda m: _server(m).update(args=["--password=$(PGPASSWORD)"]),
    "first container": lambda m: _pod_spec(m)["initContainers"][0].pop("securityContext"),
    "label": lambda m: one(m, "Service")["metadata"]["labels"].pop(COMMON_LABELS[-1]),
    "hook": lambda m: m[0]["metadata"].update(annotations={"helm.sh/hook": "pre-install"}),
    "policy": lambda m: m.remove(one(m, "NetworkPolicy", "postgresql")),
    "one-way policy": lambda m: one(m, "NetworkPolicy", "postgresql")["spec"].update(
        policyTypes=["Ingress"]
    ),
}


@pytest.mark.parametrize("mutant", MUTANTS)
def test_the_rules_notice(mutant: str) -> None:
    manifests = copy.deepcopy(render("postgresql", {**STACK, **VARIANTS["postgresql"][0]}))
    MUTANTS[mutant](manifests)
    assert findings(manifests) != []


def test_the_sandbox_fits_a_small_machine() -> None:
    """Memory limits of all servers together stay below 3 GB, CPU requests below one core."""
    memory = cpu = 0.0
    for stack, chart in planned():
        if stack != "sandbox":
            continue
        namespace, values = planned_values(stack, chart)
        for name, pod in pods(render(chart, values, namespace)).items():
            if name.startswith("Job/"):
                continue
            for container in pod["spec"]["containers"]:
                memory += _mebibytes(container["resources"]["limits"]["memory"])
                cpu += _cores(container["resources"]["requests"]["cpu"])
    assert memory * 2**20 < 3e9
    assert cpu < 1


def _mebibytes(quantity: str) -> float:
    factors = {"Mi": 1.0, "Gi": 1024.0}
    return float(quantity[:-2]) * factors[quantity[-2:]]


def _cores(quantity: str) -> float:
    return float(quantity[:-1]) / 1000 if quantity.endswith("m") else float(quantity)


def test_every_chart_stands_in_the_namespace_it_is_given() -> None:
    for chart in NAMES:
        assert {each["metadata"]["namespace"] for each in render(chart, STACK, "elsewhere")} == {
            "elsewhere"
        }
        assert NAMESPACES[chart] != "elsewhere"
