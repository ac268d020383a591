"""Renders charts with the real helm, once for each set of values."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from mlops_infra import places, toolchain
from mlops_infra.config import load, stack_file
from mlops_infra.images import references
from mlops_infra.plan import Plan, make_plan

CHARTS = places.project() / "charts"
NAMES = ("mlflow", "postgresql", "valkey", "versitygw")
NAMESPACES = {
    "mlflow": "mlflow",
    "postgresql": "mlops-stores",
    "valkey": "mlops-stores",
    "versitygw": "mlops-stores",
}
STACKS = ("sandbox", "onprem-lab", "onprem-closed")
"""The example stacks of the onprem profile; a test holds them against the folder `stacks`."""
KUBERNETES = "1.34.4"
NODE = "10.231.0.2"

Manifest = dict[str, Any]


class RefusedError(Exception):
    """Helm's own words about values or a template."""


def helm(*arguments: str, values: Mapping[str, Any] | None = None) -> str:
    """Run helm and return its output."""
    tool = toolchain.ensure(["helm"], lambda _: None)["helm"]
    given = ["--values", "-"] if values is not None else []
    done = subprocess.run(
        [str(tool.path), *arguments, "--kube-version", KUBERNETES, *given],
        input=json.dumps(values) if values is not None else None,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise RefusedError(done.stdout + done.stderr)
    return done.stdout


@cache
def _template(chart: str, namespace: str, values: str) -> str:
    return helm(
        "template", chart, str(CHARTS / chart), "--namespace", namespace, values=json.loads(values)
    )


def text(chart: str, values: Mapping[str, Any] | None = None, namespace: str | None = None) -> str:
    """What helm renders, as text."""
    return _template(
        chart, namespace or NAMESPACES[chart], json.dumps(values or {}, sort_keys=True)
    )


def render(
    chart: str, values: Mapping[str, Any] | None = None, namespace: str | None = None
) -> list[Manifest]:
    """What helm renders, as manifests."""
    return [each for each in yaml.safe_load_all(text(chart, values, namespace)) if each]


def defaults(chart: str) -> Manifest:
    """The chart's own values."""
    loaded: Manifest = yaml.safe_load((CHARTS / chart / "values.yaml").read_text("utf-8"))
    return loaded


@cache
def plan(stack: str) -> Plan:
    """The plan of an example stack, with image references that no recipe's edit changes."""
    built = {name: f"mlops-infra.local/{name}:0-00000000" for name in references()}
    return make_plan(load(stack_file(stack)), stack=stack, built=built).for_node(NODE)


def planned() -> list[tuple[str, str]]:
    """Every (stack, chart) that the example stacks install."""
    return [
        (stack, component.chart)
        for stack in STACKS
        for component in plan(stack).components
        if component.chart
    ]


def planned_values(stack: str, chart: str) -> tuple[str, Manifest]:
    """Namespace and values of a chart in an example stack."""
    for component in plan(stack).components:
        if component.chart == chart:
            return component.namespace, dict(component.values)
    raise KeyError((stack, chart))


def one(manifests: list[Manifest], kind: str, name: str | None = None) -> Manifest:
    """The only manifest of that kind (and name)."""
    found = [
        each
        for each in manifests
        if each["kind"] == kind and (name is None or each["metadata"]["name"] == name)
    ]
    assert len(found) == 1, f"{len(found)} of {kind} {name or ''}"
    return found[0]


def pods(manifests: list[Manifest]) -> dict[str, Manifest]:
    """Every Pod template by `Kind/name`, metadata included."""
    return {
        f"{each['kind']}/{each['metadata']['name']}": each["spec"]["template"]
        for each in manifests
        if "template" in (each.get("spec") or {})
    }


def containers(pod: Manifest) -> list[Manifest]:
    """All containers of a Pod template, the ones that run first included."""
    spec = pod["spec"]
    return [*spec.get("initContainers", []), *spec["containers"]]


def golden(stack: str, chart: str) -> Path:
    """File that the rendered chart of a stack is compared with."""
    return Path(__file__).parent / "golden" / stack / f"{chart}.yaml"
