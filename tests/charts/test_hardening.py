"""Every rendered Pod is locked down, in every chart, every example stack and every variant."""

from __future__ import annotations

import copy
import fnmatch
from collections.abc import Callable
from typing import Any

import pytest

from tests.charts.hardening import COMMON_LABELS, findings, selects
from tests.charts.rendering import (
    CASES,
    NAMES,
    STATEFUL,
    Manifest,
    both,
    containers,
    defaults,
    one,
    plan,
    planned,
    planned_render,
    pods,
    render,
)

STACK = {"commonLabels": {"mlops-infra.dev/stack": "sandbox"}}


def _variants(chart: str) -> list[Manifest]:
    own = CASES[chart]
    return [both(both(STACK, own.values), variant) for variant in ({}, *own.variants)]


def _namespaces(manifests: list[Manifest]) -> set[str]:
    """Those of the objects; what belongs to the whole cluster has none."""
    return {m["metadata"]["namespace"] for m in manifests if "namespace" in m["metadata"]}


def _unmeant(chart: str, manifests: list[Manifest]) -> list[str]:
    meant = CASES[chart].breaks
    return [
        each
        for each in findings(manifests)
        if not any(fnmatch.fnmatchcase(each, pattern) for pattern in meant)
    ]


@pytest.mark.parametrize("chart", NAMES)
def test_every_variant_keeps_the_rules(chart: str) -> None:
    for values in _variants(chart):
        assert _unmeant(chart, render(chart, values)) == []


@pytest.mark.parametrize("chart", [name for name in NAMES if name != "crds"])
def test_a_registrys_login_reaches_every_pod_and_every_account(chart: str) -> None:
    """By the account it reaches the Pods that a controller makes."""
    login = [{"name": "registry-login"}]
    manifests = render(chart, both(CASES[chart].values, {"imagePullSecrets": login}))
    found = {name: pod["spec"] for name, pod in pods(manifests).items()}
    found |= {m["metadata"]["name"]: m for m in manifests if m["kind"] == "ServiceAccount"}
    assert [name for name, each in found.items() if each.get("imagePullSecrets") != login] == []


@pytest.mark.parametrize(("stack", "component"), planned())
def test_every_example_stack_keeps_the_rules(stack: str, component: str) -> None:
    planned, manifests = planned_render(stack, component)
    own = CASES[planned.chart]
    assert _unmeant(planned.chart, manifests) == []
    if not own.other_namespaces:
        assert _namespaces(manifests) <= {planned.namespace}


@pytest.mark.parametrize("chart", NAMES)
def test_services_reach_the_servers_and_nothing_else(chart: str) -> None:
    for manifests in (render(chart, values) for values in _variants(chart)):
        for service in (m for m in manifests if m["kind"] == "Service"):
            chosen = {
                name: pod
                for name, pod in pods(manifests).items()
                if selects(service["spec"]["selector"], pod["metadata"]["labels"])
            }
            assert len(chosen) == 1, service["metadata"]["name"]
            for name, pod in chosen.items():
                assert not name.startswith(("Job/", "CronJob/"))
                names = {p["name"] for c in containers(pod) for p in c.get("ports", [])}
                assert {p["targetPort"] for p in service["spec"]["ports"]} <= names


def test_a_closed_service_lets_in_its_declared_clients_alone() -> None:
    client = {"namespace": "mlflow", "podLabels": {"app.kubernetes.io/name": "mlflow"}}
    for chart in STATEFUL:
        quiet = one(render(chart), "NetworkPolicy", chart)["spec"]
        assert not [rule for rule in quiet["ingress"] if "podSelector" not in rule["from"][0]]
        opened = one(
            render(chart, {"networkPolicy": {"clients": [client]}}), "NetworkPolicy", chart
        )
        peer = opened["spec"]["ingress"][0]["from"][0]
        assert peer["namespaceSelector"]["matchLabels"] == {"kubernetes.io/metadata.name": "mlflow"}
        assert peer["podSelector"]["matchLabels"] == client["podLabels"]
        assert opened["spec"]["egress"] == []


@pytest.mark.parametrize("chart", [name for name in NAMES if "service" in defaults(name)])
def test_a_port_on_the_nodes_can_be_kept_to_address_ranges(chart: str) -> None:
    service = {"type": "NodePort", "nodePort": 30500}
    values = {"service": service, "networkPolicy": {"externalCidrs": ["192.0.2.0/24"]}}
    manifests = render(chart, both(CASES[chart].values, values))
    if not any(m["kind"] == "Service" and m["spec"]["type"] == "NodePort" for m in manifests):
        return  # what is for the cluster alone has no port on the nodes, whatever the values say
    policies = [m["spec"] for m in manifests if m["kind"] == "NetworkPolicy"]
    rules = [rule for policy in policies for rule in policy.get("ingress", [])]
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
    "token by default": lambda m: _pod_spec(m).pop("automountServiceAccountToken"),
    "token": lambda m: _pod_spec(m).update(automountServiceAccountToken=True),
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
    manifests = copy.deepcopy(render("postgresql", _variants("postgresql")[1]))
    MUTANTS[mutant](manifests)
    assert findings(manifests) != []


def test_the_sandbox_fits_a_small_machine() -> None:
    """Memory that all servers may take stays below 8 GB, CPU requests below one core and a half."""
    memory = cpu = 0.0
    for component in plan("sandbox").components:
        _, manifests = planned_render("sandbox", component.name)
        for name, pod in pods(manifests).items():
            if component.simulated or name.startswith(("Job/", "CronJob/")):
                continue
            for container in pod["spec"]["containers"]:
                memory += _mebibytes(container["resources"]["limits"]["memory"])
                cpu += _cores(container["resources"]["requests"]["cpu"])
    assert memory * 2**20 < 8e9
    assert cpu < 1.5


def _mebibytes(quantity: str) -> float:
    factors = {"Mi": 1.0, "Gi": 1024.0}
    return float(quantity[:-2]) * factors[quantity[-2:]]


def _cores(quantity: str) -> float:
    return float(quantity[:-1]) / 1000 if quantity.endswith("m") else float(quantity)


def test_every_chart_stands_in_the_namespace_it_is_given() -> None:
    for chart in NAMES:
        own = CASES[chart]
        found = _namespaces(render(chart, _variants(chart)[0], "elsewhere"))
        assert found <= {"elsewhere", *own.other_namespaces}
        assert own.namespace != "elsewhere"
