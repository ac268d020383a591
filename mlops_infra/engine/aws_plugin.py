"""Pulumi's plug-in for AWS: found where Pulumi keeps it or on PATH, else fetched once."""

from __future__ import annotations

import os
import shutil
import subprocess
from importlib import metadata
from pathlib import Path

from mlops_infra.errors import MissingError
from mlops_infra.kubeprovider import ProviderChoice
from mlops_infra.progress import Sink, step

PLUGIN = "pulumi-resource-aws"
FETCH_SECONDS = 600
"""The archive has some 150 MB."""


def version() -> str:
    """Of the Python package; plug-in and package are released together.

    Raises:
        MissingError: the extra `aws` is not installed.
    """
    try:
        return metadata.version("pulumi-aws")
    except metadata.PackageNotFoundError as error:
        raise MissingError(
            "the Python package 'pulumi-aws' is not installed",
            hint="pip install 'mlops-infra[aws]'",
        ) from error


def installed(home: Path) -> Path | None:
    """Executable of the plug-in, or None; a `.partial` beside it says that a download broke off."""
    folder = home / "plugins" / f"resource-aws-v{version()}"
    executable = folder / PLUGIN
    broken = folder.with_name(folder.name + ".partial").exists()
    if not broken and executable.is_file() and os.access(executable, os.X_OK):
        return executable
    on_path = shutil.which(PLUGIN)
    return Path(on_path) if on_path else None


def ready(pulumi: Path, home: Path, sink: Sink) -> ProviderChoice:
    """The plug-in, fetched from Pulumi's own place where it is not here yet.

    Raises:
        MissingError: it is not here and cannot be fetched.
    """
    found = installed(home)
    if found is None:
        with step(sink, f"Fetching Pulumi's AWS plugin {version()}"):
            _fetch(pulumi, home)
        found = installed(home)
    if found is None:
        raise _cannot_be_had(home, "its archive has no program")
    return ProviderChoice(stand_in=False, path=found, path_entries=(found.parent,), announcement="")


def _fetch(pulumi: Path, home: Path) -> None:
    command = [str(pulumi), "plugin", "install", "resource", "aws", f"v{version()}"]
    env = {**os.environ, "PULUMI_HOME": str(home), "PULUMI_SKIP_UPDATE_CHECK": "true"}
    try:
        done = subprocess.run(
            command, env=env, capture_output=True, text=True, timeout=FETCH_SECONDS, check=False
        )
    except subprocess.TimeoutExpired as error:
        raise _cannot_be_had(home, f"no answer within {FETCH_SECONDS} s") from error
    if done.returncode:
        lines = [line for line in done.stderr.splitlines() if line.strip()]
        raise _cannot_be_had(home, lines[-1].strip() if lines else "pulumi gave no reason")


def _cannot_be_had(home: Path, why: str) -> MissingError:
    return MissingError(
        f"Pulumi's AWS plugin {version()} is not installed and cannot be downloaded: {why}",
        where=str(home / "plugins"),
        hint=f"with network access: pulumi plugin install resource aws v{version()}; then "
        "copy that folder here. Without the plugin: mlops-infra check, preview, preview --cost",
    )
