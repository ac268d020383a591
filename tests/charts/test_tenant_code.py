"""What executes a tenant's models runs in its namespace, with its Secrets alone."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.charts.rendering import (
    STACKS,
    Manifest,
    containers,
    plan,
    planned_render,
    pods,
    template,
)

LOADING = ({"batch", "run"}, {"drift", "run"}, {"lifecycle", "recompute"})
"""Words of the commands that read what a tenant made."""
WITHOUT_MODELS = {"core", "kubeflow"}
"""Stacks without the component `lifecycle`."""


@pytest.mark.parametrize("stack", sorted({*STACKS} - WITHOUT_MODELS))
def test_code_of_a_tenant_runs_with_its_own_accounts(stack: str) -> None:
    planned = plan(stack)
    tenants = {each.namespace: each for each in planned.components if each.tenant}
    seen: set[str] = set()
    for manifest in planned_render(stack, "lifecycle")[1]:
        if not any(words <= set(each) for each in _commands(manifest) for words in LOADING):
            continue
        namespace = manifest["metadata"]["namespace"]
        assert namespace in tenants, f"{manifest['metadata']['name']} runs in {namespace}"
        own = {spec.name for spec in tenants[namespace].secrets if spec.namespace == namespace}
        spec = template(manifest)["spec"]
        assert _secrets(spec) <= own | _optional(spec)
        assert spec["automountServiceAccountToken"] is False
        seen.add(namespace)
    assert seen == set(tenants), "each tenant can replay"


def _commands(manifest: Manifest) -> Iterator[list[str]]:
    for pod in pods([manifest]).values():
        for container in containers(pod):
            yield [*container.get("command", []), *container.get("args", [])]


def _references(spec: Manifest) -> list[Manifest]:
    found = [v["secret"] for v in spec.get("volumes", []) if "secret" in v]
    assert not any("projected" in volume for volume in spec.get("volumes", []))
    for container in spec["containers"]:
        found += [e["secretRef"] for e in container.get("envFrom", []) if "secretRef" in e]
        found += [
            e["valueFrom"]["secretKeyRef"]
            for e in container.get("env", [])
            if "secretKeyRef" in e.get("valueFrom", {})
        ]
    return found


def _secrets(spec: Manifest) -> set[str]:
    return {each.get("name") or each["secretName"] for each in _references(spec)}


def _optional(spec: Manifest) -> set[str]:
    """Of services that a stack may lack."""
    return {each["name"] for each in _references(spec) if each.get("optional")}
