"""The binaries that a run of Pulumi needs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from mlops_infra import places, toolchain
from mlops_infra.engine import aws_plugin
from mlops_infra.progress import Sink
from mlops_infra.toolchain import Tool

KUBERNETES_PLUGIN = "pulumi-resource-kubernetes"
READING = ("pulumi",)
"""What reading a state takes. Inline programs need no language host."""
NEEDED = (*READING, KUBERNETES_PLUGIN)
FOR_PLAIN_PULUMI = ("pulumi", "pulumi-language-python")


@dataclass(frozen=True, slots=True)
class Tools:
    """Where everything is."""

    pulumi: Path
    version: str
    folders: tuple[Path, ...]
    """For `PATH`. Pulumi takes a plugin that it finds there at any version, before the ones in its
    home: so ours come first, and also serve a state that another version has written."""


def ready(sink: Sink, names: tuple[str, ...] = NEEDED) -> Tools:
    """Find, fetch or build what the onprem profile needs.

    Raises:
        MissingError: one can be had in no way.
    """
    places.private(places.pulumi_home())
    return _of(toolchain.ensure(names, sink))


def ready_for_aws(sink: Sink, names: tuple[str, ...] = READING) -> Tools:
    """Find, fetch or build what the aws profile needs.

    Raises:
        MissingError: the CLI, or Pulumi's plug-in for AWS, can be had in no way.
    """
    found = toolchain.ensure(names, sink)
    places.private(places.pulumi_home())
    plugin = aws_plugin.ready(found["pulumi"].path, sink)
    return _of(found, plugin.parent)


def reading(sink: Sink) -> Tools:
    """What reading a state takes: the CLI alone.

    Raises:
        MissingError: it can be had in no way.
    """
    return ready(sink, READING)


def _of(found: Mapping[str, Tool], *first: Path) -> Tools:
    pulumi = found["pulumi"]
    plugins = [tool.path.parent for name, tool in found.items() if name == KUBERNETES_PLUGIN]
    folders = [*first, *plugins, *(tool.path.parent for tool in found.values())]
    return Tools(pulumi.path, pulumi.version, tuple(dict.fromkeys(folders)))
