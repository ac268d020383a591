"""The binaries that a run of Pulumi needs, and the Kubernetes provider that it will use."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from mlops_infra import kubeprovider, places, toolchain
from mlops_infra.engine import aws_plugin
from mlops_infra.engine.environment import pulumi_home
from mlops_infra.kubeprovider import ProviderChoice
from mlops_infra.progress import Sink, step

NEEDED = ("pulumi", "helm")
"""Inline programs need no language host; the stand-in provider renders charts with helm."""

FOR_PLAIN_PULUMI = (*NEEDED, "pulumi-language-python")
AWS_FOR_PLAIN_PULUMI = ("pulumi", "pulumi-language-python")


@dataclass(frozen=True, slots=True)
class Tools:
    """Where everything is."""

    pulumi: Path
    version: str
    helm: Path | None
    provider: ProviderChoice
    folders: tuple[Path, ...]
    """For `PATH`, the provider's first."""


def ready(sink: Sink, names: tuple[str, ...] = NEEDED) -> Tools:
    """Find, fetch or build the tools, and choose the provider.

    Raises:
        MissingError: one can be had in no way.
    """
    found = toolchain.ensure(names, sink)
    home = places.private(pulumi_home())
    provider = kubeprovider.choose(home, places.cache() / "kubeprovider" / "bin")
    if provider.announcement:
        with step(sink, "Kubernetes provider") as work:
            work.end("done", provider.announcement)
    folders = [*provider.path_entries, *(tool.path.parent for tool in found.values())]
    helm = found.get("helm")
    return Tools(
        pulumi=found["pulumi"].path,
        version=found["pulumi"].version,
        helm=helm.path if helm else None,
        provider=provider,
        folders=tuple(dict.fromkeys(folders)),
    )


def ready_for_aws(sink: Sink, names: tuple[str, ...] = ("pulumi",)) -> Tools:
    """The same for the aws profile, whose provider has no stand-in.

    Raises:
        MissingError: the CLI, or Pulumi's plug-in for AWS, can be had in no way.
    """
    found = reading_aws(sink, names)
    provider = aws_plugin.ready(found.pulumi, places.private(pulumi_home()), sink)
    return replace(found, provider=provider, folders=(*provider.path_entries, *found.folders))


def reading_aws(sink: Sink, names: tuple[str, ...] = ("pulumi",)) -> Tools:
    """What reading a state takes: the CLI alone.

    Raises:
        MissingError: it can be had in no way.
    """
    found = toolchain.ensure(names, sink)
    pulumi = found["pulumi"]
    none = ProviderChoice(stand_in=False, path=pulumi.path, path_entries=(), announcement="")
    folders = tuple(dict.fromkeys(tool.path.parent for tool in found.values()))
    return Tools(pulumi.path, pulumi.version, None, none, folders)
