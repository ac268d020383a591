"""Who may connect to whom under the rendered NetworkPolicies, as a kept analyser sees it.

The analyser is network-config-analyzer (np-guard, Apache-2.0): it works out the semantics of all
policies of a cluster together. Here its answer is turned into a question that tests can ask.
"""

from __future__ import annotations

import os
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from mlops_infra.plan import Plan
from tests.charts.rendering import WORKLOADS, Manifest, planned_render
from tests.tools import environment

_KINDS = (*WORKLOADS, "NetworkPolicy", "Service", "ServiceAccount", "Pod")
ANALYSER = "network-config-analyzer==2.1.0"
SYSTEM = "kube-system"
ANYWHERE = "0.0.0.0/0"


@dataclass(frozen=True, slots=True)
class Allowed:
    """One allowed connection; `*` stands for every Pod of a namespace."""

    source: str
    """`namespace/pod`, or an address range."""
    target: str
    ports: frozenset[int] | None
    """None: all."""


class Wiring:
    """The allowed connections of one stack."""

    def __init__(self, paths: list[Allowed]) -> None:
        self.paths = paths

    def allows(self, source: str, target: str, port: int) -> bool:
        """Whether a Pod `namespace/name` (a prefix of its name will do) may open that port."""
        return any(
            _fits(path.source, source)
            and _fits(path.target, target)
            and (path.ports is None or port in path.ports)
            for path in self.paths
        )

    def lines(self) -> list[str]:
        """For golden files: everything that is allowed, in words."""
        return sorted(
            f"{p.source} -> {p.target}: "
            + ("all" if p.ports is None else ", ".join(str(n) for n in sorted(p.ports)))
            for p in self.paths
        )


def manifests(stack: str, plan: Plan) -> list[Manifest]:
    """What the analyser needs to know of a stack: workloads, Services, policies, namespaces."""
    found: list[Manifest] = []
    for component in plan.components:
        found += [m for m in planned_render(stack, component.name)[1] if m["kind"] in _KINDS]
    spaces = {m["metadata"].get("namespace") for m in found} | {SYSTEM}
    return found + [_namespace(each) for each in sorted(filter(None, spaces))]


def wiring(objects: list[Manifest], folder: Path) -> Wiring:
    """Ask the analyser."""
    (folder / "objects").mkdir()
    text = yaml.dump_all(objects, Dumper=yaml.CSafeDumper)
    (folder / "objects" / "all.yaml").write_text(text, encoding="utf-8")
    found = folder / "found.yaml"
    done = subprocess.run(
        [
            str(environment(ANALYSER) / "nca"),
            *("--connectivity", "--output_format", "yaml", "--file_out", str(found)),
            *("--resource_list", str(folder / "objects")),
        ],
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
        # its sets come out in another order, and so its answer in other words, every time
        env={**os.environ, "PYTHONHASHSEED": "0"},
    )
    assert done.returncode == 0, done.stdout + done.stderr
    answer = yaml.load(found.read_text("utf-8"), Loader=yaml.CSafeLoader)
    return Wiring([path for rule in answer[0]["explanation"][0]["rules"] for path in _paths(rule)])


def _namespace(name: str) -> Manifest:
    labels = {"kubernetes.io/metadata.name": name}
    if name.startswith("tenant-"):
        labels["mlops-infra.dev/tenant"] = name.removeprefix("tenant-")
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": labels}}


def _paths(rule: dict[str, Any]) -> list[Allowed]:
    ports = _ports(rule["connection"])
    return [
        Allowed(source, target, ports)
        for source in _ends(rule, "src")
        for target in _ends(rule, "dst")
    ]


def _ends(rule: dict[str, Any], side: str) -> list[str]:
    if blocks := rule.get(f"{side}_ip_block"):
        return list(blocks)
    return [f"{space}/{pod}" for space in rule[f"{side}_ns"] for pod in rule[f"{side}_pods"]]


def _ports(connection: list[Any]) -> frozenset[int] | None:
    found: set[int] = set()
    for each in connection:
        if each == "All connections" or "dst_ports" not in each:
            return None
        for port in each["dst_ports"]:
            first, _, last = str(port).partition("-")
            found.update(range(int(first), int(last or first) + 1))
    return frozenset(found)


def _fits(pattern: str, pod: str) -> bool:
    space, _, name = pattern.partition("/")
    asked, _, prefix = pod.partition("/")
    return pattern == pod or (space == asked and (name == "*" or name.startswith(prefix)))
