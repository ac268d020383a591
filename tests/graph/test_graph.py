"""What the program declares for every example stack, without an engine and without a cluster."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pulumi
import pytest

from mlops_infra.catalog import load_catalog
from mlops_infra.components import passwords
from mlops_infra.components.protection import protecting
from mlops_infra.plan import CONTRACT
from tests import golden
from tests.graph.conftest import SEED, settings
from tests.graph.recording import SECRET, Graph, Node

STACKS = ("core", "sandbox", "onprem-dev", "onprem-prod", "onprem-closed")
CHART = "kubernetes:helm.sh/v4:Chart"
NAMESPACE = "kubernetes:core/v1:Namespace"
CONFIG_MAP = "kubernetes:core/v1:ConfigMap"
CATALOG = load_catalog()
KUBERNETES_SECRET = "kubernetes:core/v1:Secret"


@pytest.mark.parametrize("stack", STACKS)
def test_the_graph_is_the_reviewed_one(stack: str, graph: Callable[..., Graph]) -> None:
    text = graph(stack).golden()
    # tags of images built here are content keys: they change with every lock, the graph does not
    text = re.sub(r"(mlops-infra(?:\.local)?/[a-z-]+:[^\"]+)-[0-9a-f]{8}", r"\1-{key}", text)
    golden.compare(Path(__file__).parent / "golden" / f"{stack}.json", text)


@pytest.mark.parametrize("stack", STACKS)
def test_nothing_uses_a_default_provider(stack: str, graph: Callable[..., Graph]) -> None:
    recorded = graph(stack)
    (provider,) = recorded.of("pulumi:providers:kubernetes")
    used = {node.provider.rpartition("::")[0] for node in recorded.nodes if _kubernetes(node)}
    assert used == {provider.urn}


@pytest.mark.parametrize("stack", STACKS)
def test_values_of_secrets_travel_as_secrets_only(stack: str, graph: Callable[..., Graph]) -> None:
    recorded = graph(stack)
    identities = {"postgresql-admin", "mlflow-db", "valkey-auth", "object-store-root"}
    hidden = {passwords.generated(SEED.encode(), stack, each) for each in identities}
    for node in recorded.nodes:
        inputs = dict(node.inputs)
        for name, value in list(inputs.items()):
            if isinstance(value, dict) and SECRET in value:
                assert node.type == KUBERNETES_SECRET
                del inputs[name]
        text = json.dumps([inputs, recorded.outputs])
        assert not [secret for secret in hidden | {"from-a-file"} if secret in text]
    declared = recorded.of(KUBERNETES_SECRET)
    assert declared
    assert all(SECRET in node.inputs["stringData"] for node in declared)


@pytest.mark.parametrize("stack", STACKS)
def test_every_object_says_whose_it_is(stack: str, graph: Callable[..., Graph]) -> None:
    recorded = graph(stack)
    for node in [*recorded.of(NAMESPACE), *recorded.of(KUBERNETES_SECRET)]:
        labels = node.inputs["metadata"]["labels"]
        assert labels["mlops-infra.dev/stack"] == stack
        assert labels["app.kubernetes.io/managed-by"] == "mlops-infra"
    for chart in recorded.of(CHART):
        assert chart.inputs["values"]["commonLabels"]["mlops-infra.dev/stack"] == stack


@pytest.mark.parametrize("stack", STACKS)
def test_namespaces_are_declared_and_come_first(stack: str, graph: Callable[..., Graph]) -> None:
    recorded = graph(stack)
    by_urn = {node.urn: node for node in recorded.nodes}
    declared = {node.inputs["metadata"]["name"]: node.urn for node in recorded.of(NAMESPACE)}
    for node in recorded.nodes:
        where = node.inputs.get("namespace") or node.inputs.get("metadata", {}).get("namespace")
        if where:
            assert declared[where] in _before(node, by_urn), f"{node.urn} may precede {where}"


def test_clients_wait_for_what_they_need(graph: Callable[..., Graph]) -> None:
    recorded = graph("sandbox")
    by_urn = {node.urn: node for node in recorded.nodes}
    (mlflow,) = [node for node in recorded.of(CHART) if node.name == "mlflow"]
    before = {by_urn[urn].name for urn in _before(mlflow, by_urn) if by_urn[urn].type == CHART}
    assert before == {"postgresql", "versitygw"}


@pytest.mark.parametrize("stack", STACKS[1:])
def test_definitions_stand_before_whoever_has_resources_of_their_kinds(
    stack: str, graph: Callable[..., Graph]
) -> None:
    recorded = graph(stack)
    by_urn = {node.urn: node for node in recorded.nodes}
    charts = {node.name: node for node in recorded.of(CHART)}
    asking = [name for name in charts if name in CATALOG and CATALOG[name].crds]
    assert "kserve" in asking
    for name in asking:
        assert charts["crds"].urn in _before(charts[name], by_urn), name


@pytest.mark.parametrize("stack", STACKS[1:])
def test_tenants_stand_behind_pod_security_and_first_of_what_they_hold(
    stack: str, graph: Callable[..., Graph]
) -> None:
    recorded = graph(stack)
    by_urn = {node.urn: node for node in recorded.nodes}
    charts = {node.name: node for node in recorded.of(CHART)}
    tenants = settings(stack)["tenants"]
    for namespace in recorded.of(NAMESPACE):
        labels = namespace.inputs["metadata"]["labels"]
        kubeflow = namespace.inputs["metadata"]["name"] == "kubeflow"
        if kubeflow or labels.get("mlops-infra.dev/tenant") in tenants:
            assert labels["pod-security.kubernetes.io/enforce"] == "restricted"
    notebooks = charts.get("notebooks") or charts["kubeflow-notebooks"]
    for name in tenants:
        assert charts[f"tenant-{name}"].urn in _before(notebooks, by_urn)


@pytest.mark.parametrize("stack", ["onprem-prod", "onprem-closed"])
def test_the_sites_certificates_stand_in_every_namespace_before_its_pods(
    stack: str, graph: Callable[..., Graph]
) -> None:
    recorded = graph(stack)
    by_urn = {node.urn: node for node in recorded.nodes}
    maps = {m.inputs["metadata"]["namespace"]: m for m in recorded.of(CONFIG_MAP)}
    assert set(maps) == {n.inputs["metadata"]["name"] for n in recorded.of(NAMESPACE)}
    for each in maps.values():
        # the certificate alone, not what else stands in the file
        assert each.inputs["data"]["ca.crt"].startswith("-----BEGIN CERTIFICATE-----")
    for chart in recorded.of(CHART):
        if chart.inputs.get("namespace"):
            assert maps[chart.inputs["namespace"]].urn in _before(chart, by_urn)


def test_the_registrys_login_stands_in_every_namespace_and_every_pod_names_it(
    graph: Callable[..., Graph],
) -> None:
    recorded = graph("onprem-prod")
    by_urn = {node.urn: node for node in recorded.nodes}
    found = {
        node.inputs["metadata"]["namespace"]: node
        for node in recorded.of(KUBERNETES_SECRET)
        if node.inputs.get("type") == "kubernetes.io/dockerconfigjson"
    }
    assert set(found) == {n.inputs["metadata"]["name"] for n in recorded.of(NAMESPACE)}
    for secret in found.values():
        assert SECRET in secret.inputs["stringData"], "hidden"
        (login,) = json.loads(secret.inputs["stringData"]["value"][".dockerconfigjson"])[
            "auths"
        ].items()
        assert login[0] == "registry.prod.example:5000"
        pair = base64.b64decode(login[1]["auth"]).decode()
        assert pair == "the-site's-own:from-a-file"
    for chart in recorded.of(CHART):
        if namespace := chart.inputs.get("namespace"):
            names = [each["name"] for each in chart.inputs["values"]["imagePullSecrets"]]
            assert names == [found[namespace].inputs["metadata"]["name"]]
            assert found[namespace].urn in _before(chart, by_urn)


@pytest.mark.parametrize("stack", STACKS)
def test_no_two_resources_share_a_urn(stack: str, graph: Callable[..., Graph]) -> None:
    urns = [node.urn for node in graph(stack).nodes]
    assert len(urns) == len(set(urns))


@pytest.mark.parametrize("stack", STACKS)
def test_the_contract_is_exported_whole(stack: str, graph: Callable[..., Graph]) -> None:
    assert set(CONTRACT) <= set(graph(stack).outputs)


def test_the_same_configuration_gives_the_same_graph(graph: Callable[..., Graph]) -> None:
    again = graph("sandbox", policy="dev")
    assert again.golden() == graph("sandbox").golden()


def test_protection_follows_the_configuration(graph: Callable[..., Graph]) -> None:
    # the other one gives every object its field manager
    assert graph("sandbox").transforms == 1
    assert graph("sandbox", protect=True).transforms == 2
    # what is not dev is protected unless it says otherwise
    assert graph("onprem-dev").transforms == 2


@pytest.mark.parametrize(
    ("type_token", "name", "labels", "held"),
    [
        ("kubernetes:apps/v1:StatefulSet", "postgresql", {}, True),
        ("kubernetes:core/v1:PersistentVolumeClaim", "data", {}, True),
        ("kubernetes:core/v1:Secret", "db", {"mlops-infra.dev/stateful": "true"}, True),
        ("kubernetes:core/v1:Secret", "token", {}, False),
        ("kubernetes:core/v1:Namespace", "stores", {"mlops-infra.dev/stateful": "true"}, True),
        ("kubernetes:core/v1:Namespace", "mlflow", {"mlops-infra.dev/stateful": "false"}, False),
        ("kubernetes:apps/v1:Deployment", "mlflow", {}, False),
        ("kubernetes:apps/v1:StatefulSet", "let-go", {}, False),
    ],
)
def test_what_pulumi_is_told_to_protect(
    type_token: str, name: str, labels: dict[str, str], held: bool
) -> None:
    metadata = {"name": name, "labels": {"mlops-infra.dev/component": "db", **labels}}
    args = pulumi.ResourceTransformArgs(
        custom=True,
        type_=type_token,
        name=name,
        props={"metadata": metadata},
        opts=pulumi.ResourceOptions(),
    )
    result = protecting(["db/StatefulSet/let-go"])(args)
    assert (result is not None and result.opts.protect is True) is held


def test_a_mistake_in_the_configuration_is_told_with_its_path() -> None:
    from stacks.program import program
    from tests.graph.recording import record

    config: dict[str, Any] = {"profile": "onprem", "environment": "x", "stores": {"sqll": {}}}
    with pytest.raises(pulumi.RunError, match=r"stores\.sqll"):
        record(program, stack="wrong", config=config)


def _kubernetes(node: Node) -> bool:
    return node.type.startswith("kubernetes:")


def _before(node: Node, by_urn: dict[str, Node]) -> set[str]:
    """Everything that is registered before `node`: dependencies and those of its parents."""
    found: set[str] = set()
    todo = [*node.dependencies, node.parent]
    while todo:
        urn = todo.pop()
        if urn and urn not in found and urn in by_urn:
            found.add(urn)
            todo += [*by_urn[urn].dependencies, by_urn[urn].parent]
    return found
