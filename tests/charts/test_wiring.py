"""NetworkPolicies let through what the plan declares, and nothing between those who share nothing.

This is the analyser's word on the rendered policies; tests/e2e asks real Pods where the cluster's
network enforces them.
"""

from __future__ import annotations

import re

import pytest

from mlops_infra.catalog import load_catalog
from mlops_infra.plan.network.peers import serves_tenants
from tests.charts.rendering import STACKS, WORKLOADS, Manifest, plan
from tests.charts.wiring import ANYWHERE, SYSTEM, Wiring, manifests, wiring
from tests.golden import ROOT, compare

_CALLED_BY_OTHERS = {
    "argo-workflows": "steps in tenants write artifacts, the controller does not",
    "notebooks": "JupyterLab in tenants logs to MLflow, the router in front of it does not",
    "seldon-core": "model loaders in tenants read models, the operator does not",
    "envoy-gateway": "the proxies that it makes call services, it does not",
    "kserve": "storage initializers in tenants read models, the controller does not",
}
"""Needs of Pods that a controller makes; those in tenants are looked at below."""
_NOT_CALLED = frozenset({("lifecycle", "feast")})
"""It is waited for, since tenants are told its address."""
_BY_OPERATOR = frozenset({"cloudnative-pg"})
"""Servers whose Pods an operator makes, so that no chart renders them."""

Wired = tuple[str, Wiring, list[Manifest]]


@pytest.fixture(scope="module", params=STACKS)
def wired(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Wired:
    stack: str = request.param
    objects = manifests(stack, plan(stack))
    return stack, wiring(objects, tmp_path_factory.mktemp(stack)), objects


def test_the_allowed_paths_are_the_golden_ones(wired: Wired) -> None:
    stack, found, _ = wired
    text = "\n".join(re.sub(r"-[0-9a-f]{8}\b", "-<hash>", line) for line in found.lines())
    compare(ROOT / f"tests/charts/golden/wiring/{stack}.txt", f"{text}\n")


def test_every_declared_need_can_be_reached(wired: Wired) -> None:
    """A component reaches the port of each component that it needs."""
    stack, found, objects = wired
    catalog, planned = load_catalog(), plan(stack)
    rendered = {m["metadata"]["labels"]["mlops-infra.dev/component"] for m in objects if _runs(m)}
    for component in planned.components:
        if component.name in _CALLED_BY_OTHERS or component.name not in rendered:
            continue
        for need in set(component.needs) & set(catalog.components) - _BY_OPERATOR:
            server = catalog[need]
            if (component.name, need) in _NOT_CALLED:
                continue
            if not serves_tenants(server) or need not in rendered:
                continue  # it is waited for and not called
            space = planned.component(need).namespace
            reached = _reached(found, component.namespace, space, server.ports[0].number)
            assert reached, f"{component.name} cannot reach {need} at {server.ports[0].number}"


def test_tenants_reach_what_their_work_needs(wired: Wired) -> None:
    stack, found, objects = wired
    planned, catalog = plan(stack), load_catalog()
    names = {component.name for component in planned.components}
    busy = {m["metadata"]["namespace"] for m in objects if _runs(m)}
    for tenant in busy & {c.namespace for c in planned.components if c.tenant}:
        for need in {"mlflow", "versitygw", "valkey", "feast"} & names:
            space = planned.component(need).namespace
            port = catalog[need].ports[0].number
            assert _reached(found, tenant, space, port), f"{tenant} cannot reach {need}"


def _runs(manifest: Manifest) -> bool:
    return manifest["kind"] in WORKLOADS


def _reached(found: Wiring, source: str, target: str, port: int) -> bool:
    return any(
        path.source.startswith(f"{source}/")
        and path.target.startswith(f"{target}/")
        and (path.ports is None or port in path.ports)
        for path in found.paths
    )


def test_no_pod_accepts_or_opens_everything(wired: Wired) -> None:
    _, found, _ = wired
    for path in found.paths:
        source, target = path.source.partition("/")[0], path.target.partition("/")[0]
        if SYSTEM in (source, target):
            continue
        if source == target and source.startswith("tenant-"):
            continue  # the Pods of one team may talk to each other
        assert path.ports is not None, f"{path.source} -> {path.target}: every port"


def test_databases_answer_no_stranger(wired: Wired) -> None:
    _, found, _ = wired
    for path in found.paths:
        if path.target.startswith("mlops-stores/postgresql"):
            assert path.source != ANYWHERE
            assert not path.source.startswith(SYSTEM)


def test_tenants_do_not_reach_each_other(wired: Wired) -> None:
    stack, found, _ = wired
    tenants = {c.namespace for c in plan(stack).components if c.tenant}
    for path in found.paths:
        source, target = path.source.partition("/")[0], path.target.partition("/")[0]
        if source in tenants and target in tenants:
            assert source == target, f"{path.source} -> {path.target}"
