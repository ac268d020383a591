"""Which Kubernetes provider a run uses, and the launcher that puts the stand-in on `PATH`."""

from __future__ import annotations

import os
import shlex
import sys
from dataclasses import dataclass
from pathlib import Path

OFFICIAL_VERSION = "4.32.0"
"""Version of the official provider whose state and behaviour the stand-in follows."""

PLUGIN = "pulumi-resource-kubernetes"

ANNOUNCEMENT = (
    f"stand-in Kubernetes provider in use (official plugin {OFFICIAL_VERSION} not available)"
)
"""What the engine's log says in every run that the stand-in serves."""


@dataclass(frozen=True, slots=True)
class ProviderChoice:
    """The provider that a run will use."""

    stand_in: bool
    path: Path
    """Executable of the plugin."""
    path_entries: tuple[Path, ...]
    """Folders to put first on the Pulumi child's `PATH`; none for the official plugin, which the
    engine finds in `$PULUMI_HOME/plugins` by itself."""
    announcement: str
    """One sentence for the user; empty where the official plugin serves."""


def official_plugin(pulumi_home: Path) -> Path | None:
    """Executable of the official plugin in Pulumi's cache, or None where it is not installed.

    A sibling `.partial` file means that its download did not end.
    """
    folder = pulumi_home / "plugins" / f"resource-kubernetes-v{OFFICIAL_VERSION}"
    if folder.with_name(folder.name + ".partial").exists():
        return None
    executable = folder / PLUGIN
    return executable if os.access(executable, os.X_OK) and executable.is_file() else None


def install(bin_dir: Path, python: Path | None = None) -> Path:
    """Write the launcher of the stand-in into `bin_dir` and return it.

    Args:
        bin_dir: folder that the caller puts on `PATH`, since a plugin found there wins over every
            download; created where missing.
        python: interpreter that has this package; default the running one.
    """
    bin_dir.mkdir(parents=True, exist_ok=True)
    launcher = bin_dir / PLUGIN
    # `exec` keeps the engine as our parent, whose end we watch; -P keeps the stack's folder, the
    # engine's working directory, out of sys.path.
    text = (
        "#!/bin/sh\n"
        f"exec {shlex.quote(str(python or sys.executable))} -P -m mlops_infra.kubeprovider"
        ' "$@"\n'
    )
    if not launcher.exists() or launcher.read_text(encoding="utf-8") != text:
        fresh = launcher.with_name(f".{PLUGIN}.{os.getpid()}")
        fresh.write_text(text, encoding="utf-8")
        fresh.chmod(0o755)
        fresh.replace(launcher)
    return launcher


def choose(pulumi_home: Path, bin_dir: Path) -> ProviderChoice:
    """Take the official plugin where it is installed, else install the stand-in into `bin_dir`.

    A launcher left in `bin_dir` from an earlier run is taken away when the official plugin has
    arrived since: on `PATH` it would win over it.
    """
    official = official_plugin(pulumi_home)
    if official is not None:
        (bin_dir / PLUGIN).unlink(missing_ok=True)
        return ProviderChoice(stand_in=False, path=official, path_entries=(), announcement="")
    return ProviderChoice(
        stand_in=True,
        path=install(bin_dir),
        path_entries=(bin_dir,),
        announcement=ANNOUNCEMENT,
    )
