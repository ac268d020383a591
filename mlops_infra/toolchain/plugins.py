"""Pulumi plugins: where Pulumi keeps them, and how its own command fetches them.

A plugin is a tool like any other but for two things. Pulumi installs it in a folder of its home,
where plain `pulumi` and the bundler look for it; and its release archive is fetched by
`pulumi plugin install`, which knows Pulumi's hosts, a site's own mirror
(`PULUMI_PLUGIN_DOWNLOAD_URL_OVERRIDES`) and tokens.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

from mlops_infra import places
from mlops_infra.progress import Step
from mlops_infra.toolchain import archive, download, store
from mlops_infra.toolchain.manifest import Pin, Plugin, pin, target
from mlops_infra.toolchain.store import Origin, PassedOver, Tool

FETCH_SECONDS = 600
"""Archives have up to 150 MB."""
HOSTS = ("https://github.com", "https://get.pulumi.com")
"""Where the command looks; it waits long for a host that does not resolve."""
MIRRORS = "PULUMI_PLUGIN_DOWNLOAD_URL_OVERRIDES"
"""Pulumi's variable for a site's mirror: `<regular expression>=<URL>`, several with commas."""


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
    return Tool(one.name, one.version, program, "pulumi", Origin("pulumi", str(place)))


def fetch(one: Pin, into: Path, work: Step) -> Origin | PassedOver:
    """Let Pulumi's command fetch the plugin and lay its program into the folder `into`.

    It checks the archive against the pinned checksum. A site's own copy of the archives serves here
    as it does for other tools (`MLOPS_INFRA_ARCHIVE_MIRROR`).
    """
    assert one.plugin is not None  # noqa: S101 - asked of plugins only
    tool = store.cached(pin("pulumi"))
    pinned = one.archives.get(target())
    if tool is None or pinned is None:
        return PassedOver("archive", archive.missing(one) or "Pulumi's command is not here yet")
    server = archive.address(pinned.url).rpartition("/")[0]
    mirrored = server != pinned.url.rpartition("/")[0]
    if not (mirrored or os.environ.get(MIRRORS) or any(map(download.is_reachable, HOSTS))):
        return PassedOver("archive", f"none of {', '.join(HOSTS)} can be reached")
    home = into / "pulumi-home"
    command = [
        *(str(tool.path), "plugin", "install", one.plugin.kind, one.plugin.name, one.version),
        *("--checksum", pinned.checksum.removeprefix("sha256:")),
        *(("--server", server) if mirrored else ()),
    ]
    work.note(" ".join(["pulumi", *command[1:6]]))
    try:
        done = subprocess.run(
            command,
            env={**os.environ, "PULUMI_HOME": str(home), "PULUMI_SKIP_UPDATE_CHECK": "true"},
            capture_output=True,
            text=True,
            timeout=FETCH_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return PassedOver("archive", f"pulumi plugin install took more than {FETCH_SECONDS} s")
    program = home / "plugins" / f"{one.plugin.kind}-{one.plugin.name}-{one.version}" / one.name
    if done.returncode or not program.is_file():
        lines = [line.strip() for line in done.stderr.splitlines() if line.strip()]
        return PassedOver("archive", lines[-1] if lines else "its archive held no program")
    program.replace(into / one.name)
    shutil.rmtree(home, ignore_errors=True)
    return Origin("archive", " ".join(["pulumi", *command[1:6]]))


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
