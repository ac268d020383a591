"""Pulumi plugins: tools that Pulumi keeps in a folder of its home.

Plain `pulumi` and the bundler look for them there. Their archives are fetched as those of other
tools, not by `pulumi plugin install`: its check of a checksum (3.259, `checksumReader`) leaves out
the bytes that arrive together with the end of the file, and so refuses good archives.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from mlops_infra import places
from mlops_infra.toolchain import store
from mlops_infra.toolchain.manifest import Pin, Plugin
from mlops_infra.toolchain.store import Origin, PassedOver, Tool


def folder(plugin: Plugin, version: str) -> Path:
    """Where Pulumi keeps the plugin; `version` with its leading `v`."""
    return places.pulumi_home() / "plugins" / f"{plugin.kind}-{plugin.name}-{version}"


def installed(one: Pin) -> Tool | PassedOver:
    """The plugin in Pulumi's home, or why what is there does not serve."""
    assert one.plugin is not None  # noqa: S101 - asked of plugins only
    place = folder(one.plugin, one.version)
    program = place / one.name
    if place.with_name(place.name + ".partial").exists():
        return PassedOver("pulumi", f"the download into {place} was interrupted")
    if not (program.is_file() and os.access(program, os.X_OK)):
        return PassedOver("pulumi", f"{place} is not there", notable=False)
    kept = store.cached(one)  # where it came from, if the toolchain has made it
    origin = kept.origin if kept else Origin("pulumi", str(place))
    return Tool(one.name, one.version, program, "pulumi", origin)


def lay(tool: Tool, one: Pin) -> Tool:
    """Install the plugin `tool` of the toolchain's cache in Pulumi's home, whole or not at all."""
    assert one.plugin is not None  # noqa: S101 - asked of plugins only
    final = folder(one.plugin, one.version)
    fresh = final.with_name(f".{final.name}.{os.getpid()}")
    places.private(places.pulumi_home())
    fresh.mkdir(parents=True)
    try:
        _link(tool.path, fresh / one.name)
        shutil.rmtree(final, ignore_errors=True)
        final.with_name(final.name + ".partial").unlink(missing_ok=True)
        fresh.rename(final)
    finally:
        shutil.rmtree(fresh, ignore_errors=True)
    return Tool(one.name, one.version, final / one.name, tool.source, tool.origin)


def _link(source: Path, target: Path) -> None:
    try:
        target.hardlink_to(source)
    except OSError:  # Pulumi's home is on another file system
        shutil.copy2(source, target)
