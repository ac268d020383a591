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
from mlops_infra.images.recipe import names
from mlops_infra.plan import Plan, PlannedComponent, make_plan
from tests.charts.cases import Case, cases

CHARTS = places.project() / "charts"
FOLDERS = tuple(sorted(file.parent.name for file in CHARTS.glob("*/Chart.yaml")))
CASES: dict[str, Case] = cases()
NAMES = tuple(name for name in FOLDERS if name in CASES)
STATEFUL = tuple(name for name in NAMES if CASES[name].stateful)
WORKLOADS = ("CronJob", "DaemonSet", "Deployment", "Job", "StatefulSet")
"""Kinds whose Pods the cluster itself makes."""
STACKS = ("core", "sandbox", "kubeflow", "onprem-dev", "onprem-prod", "onprem-closed")
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
    """What helm renders, as text; without values, what the chart's case wants."""
    given = CASES[chart].values if values is None else values
    return _template(chart, namespace or CASES[chart].namespace, json.dumps(given, sort_keys=True))


def render(
    chart: str, values: Mapping[str, Any] | None = None, namespace: str | None = None
) -> list[Manifest]:
    """What helm renders, as manifests."""
    return documents(text(chart, values, namespace))


def documents(rendered: str) -> list[Manifest]:
    """The manifests in a text of helm's; by libyaml, which is ten times as quick."""
    return [each for each in yaml.load_all(rendered, Loader=yaml.CSafeLoader) if each]


def defaults(chart: str) -> Manifest:
    """The chart's own values."""
    loaded: Manifest = yaml.safe_load((CHARTS / chart / "values.yaml").read_text("utf-8"))
    return loaded


@cache
def plan(stack: str) -> Plan:
    """The plan of an example stack, with image references that no recipe's edit changes."""
    built = {name: f"mlops-infra.local/{name}:0-00000000" for name in names()}
    return make_plan(load(stack_file(stack)), stack=stack, built=built).for_node(NODE)


def planned() -> list[tuple[str, str]]:
    """Every (stack, component) that the example stacks install."""
    return [
        (stack, component.name)
        for stack in STACKS
        for component in plan(stack).components
        if component.chart
    ]


def planned_text(stack: str, name: str) -> str:
    """What helm renders of a component in an example stack, as text."""
    component = plan(stack).component(name)
    return text(component.chart, dict(component.values), component.namespace)


def planned_render(stack: str, name: str) -> tuple[PlannedComponent, list[Manifest]]:
    """A component of an example stack and its manifests."""
    return plan(stack).component(name), documents(planned_text(stack, name))


def both(left: Mapping[str, Any], right: Mapping[str, Any]) -> Manifest:
    """Values `right` on top of `left`, as helm merges them."""
    merged = dict(left)
    for key, value in right.items():
        held = merged.get(key)
        deeper = isinstance(held, Mapping) and isinstance(value, Mapping)
        merged[key] = both(held, value) if deeper else value  # type: ignore[arg-type]
    return merged


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
        f"{each['kind']}/{each['metadata']['name']}": template(each)
        for each in manifests
        if each["kind"] in WORKLOADS
    }


def template(workload: Manifest) -> Manifest:
    """The Pod template of a Deployment, a CronJob and so on."""
    spec = workload["spec"]
    found: Manifest = (spec["jobTemplate"]["spec"] if "jobTemplate" in spec else spec)["template"]
    return found


def containers(pod: Manifest) -> list[Manifest]:
    """All containers of a Pod template, the ones that run first included."""
    spec = pod["spec"]
    return [*spec.get("initContainers", []), *spec["containers"]]


def golden(stack: str, component: str) -> Path:
    """File that a rendered component of a stack is compared with."""
    return Path(__file__).parent / "golden" / stack / f"{component}.yaml"


def config_file(chart: str, file: str, values: Manifest | None = None) -> str:
    """A file of any ConfigMap of the chart."""
    maps = [m for m in render(chart, values) if m["kind"] == "ConfigMap"]
    return next(str(m["data"][file]) for m in maps if file in m["data"])
