"""Binaries and Pulumi plugins that a stack needs on the closed side."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path

from mlops_infra import places, toolchain
from mlops_infra.config import StackConfig
from mlops_infra.errors import InputError, MissingError
from mlops_infra.progress import Sink
from mlops_infra.toolchain.manifest import target
from offline_bundle import layout
from offline_bundle.discover.wanted import WantedFile
from offline_bundle.model import Found

ALWAYS = ("pulumi", "pulumi-language-python", "helm")
CONTROL_PLANE = ("etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler")
NODE = ("kubelet", "kube-proxy", "cni-plugins")
SIMULATED = ("kwok",)
KUBERNETES = "kubernetes"
KUBERNETES_TOOL = "pulumi-resource-kubernetes"
"""The toolchain's name of Pulumi's Kubernetes provider."""

_PROVIDER = "pulumi:providers:"


def tools(config: StackConfig) -> dict[str, str]:
    """Names of the toolchain's tools, each with the reason."""
    found = dict.fromkeys(ALWAYS, "every stack: its engine and its charts")
    if config.cluster.embedded:
        found |= dict.fromkeys(CONTROL_PLANE, "cluster.embedded: its control plane")
        if not config.cluster.simulated:
            found |= dict.fromkeys(NODE, "cluster.embedded: its node")
        found |= dict.fromkeys(SIMULATED, "cluster.embedded: simulated nodes")
        found["kubectl"] = "cluster.embedded: people"
    return {name: reason for name, reason in found.items() if name in toolchain.pins()}


def binaries(names: Mapping[str, str], platform: str) -> tuple[WantedFile, ...]:
    """Every file of the tools `names`.

    Raises:
        MissingError: they are for another platform than this machine's.
    """
    if platform != target():
        raise MissingError(
            f"binaries for {platform} cannot be built on {target()}",
            hint="run it on a machine with the target's platform",
        )
    found: list[WantedFile] = []
    for name, reason in names.items():
        pin = toolchain.pin(name)
        found.extend(
            WantedFile(
                kind="binary",
                name=program,
                version=pin.version,
                filename=layout.binary_name(program, pin.version, platform),
                source=f"toolchain:{name}",
                found=(Found(reason),),
                licence=pin.family.licence,
            )
            for program in pin.contents
        )
    return tuple(found)


def providers(config: StackConfig, state: Path | None) -> dict[tuple[str, str], list[Found]]:
    """Name and version of every provider plugin: of the profile, and of an existing state.

    Raises:
        InputError: the state cannot be read.
    """
    name = "aws" if config.profile == "aws" else KUBERNETES
    found = {(name, _locked(f"pulumi-{name}")): [Found(f"profile: {config.profile}")]}
    for name, version in _of_state(state) if state else ():
        # the pinned Kubernetes provider serves a state of any version: the engine puts it on PATH
        each = (name, _locked(f"pulumi-{name}") if name == KUBERNETES else version)
        places_of = found.setdefault(each, [])
        places_of.append(Found(f"the state in {state.name if state else ''}"))
    return found


def plugins(
    wanted: Mapping[tuple[str, str], list[Found]], platform: str, sink: Sink
) -> tuple[WantedFile, ...]:
    """The plugins of `wanted`; the Kubernetes provider is fetched or built where it is not here.

    Raises:
        MissingError: a plugin can be had in no way.
    """
    found = []
    for (name, version), where in sorted(wanted.items()):
        if name == KUBERNETES:
            toolchain.ensure((KUBERNETES_TOOL,), sink)
        if not (places.pulumi_home() / "plugins" / f"resource-{name}-v{version}").is_dir():
            raise MissingError(
                f"the Pulumi plugin {name} v{version} is not installed here",
                where=where[0].where,
                hint='eval "$(mlops-infra env -s STACK)", then:'
                f" pulumi plugin install resource {name} {version}",
            )
        found.append(
            WantedFile(
                kind="plugin",
                name=name,
                version=f"v{version}",
                filename=layout.plugin_name(name, version, platform),
                source=f"plugin:{name}",
                found=tuple(where),
                licence="Apache-2.0",
            )
        )
    return tuple(found)


def named(wanted: Mapping[tuple[str, str], list[Found]]) -> tuple[WantedFile, ...]:
    """The plugins of `wanted` by name and version alone, installed here or not."""
    return tuple(
        WantedFile("plugin", name, f"v{version}", "", f"plugin:{name}", tuple(where))
        for (name, version), where in sorted(wanted.items())
    )


def _locked(project: str) -> str:
    text = (places.project() / "requirements.lock").read_text("utf-8")
    lines = (line for line in text.splitlines() if line.startswith(f"{project}=="))
    line = next(lines, "")
    return line.removeprefix(f"{project}==").partition(" ")[0]


def _of_state(file: Path) -> Iterable[tuple[str, str]]:
    try:
        raw = json.loads(file.read_text("utf-8"))
        held = raw.get("deployment") or raw["checkpoint"]["latest"]
        resources = held.get("resources") or []
        for resource in resources:
            kind = str(resource["type"])
            version = (resource.get("inputs") or {}).get("version")
            if kind.startswith(_PROVIDER) and version:
                yield kind.removeprefix(_PROVIDER), str(version)
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        hint = "write it with: pulumi stack export --file FILE"
        raise InputError(
            f"the state cannot be read ({type(error).__name__})", where=str(file), hint=hint
        ) from None
