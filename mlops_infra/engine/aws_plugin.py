"""Pulumi's plug-in for AWS: found where Pulumi keeps it or on PATH, else fetched once."""

from __future__ import annotations

import os
import shutil
import subprocess
from importlib import metadata
from pathlib import Path

from mlops_infra import places
from mlops_infra.errors import MissingError
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


def installed() -> Path | None:
    """Executable of the plug-in, or None; a `.partial` beside it says that a download broke off."""
    folder = places.pulumi_home() / "plugins" / f"resource-aws-v{version()}"
    executable = folder / PLUGIN
    broken = folder.with_name(folder.name + ".partial").exists()
    if not broken and executable.is_file() and os.access(executable, os.X_OK):
        return executable
    on_path = shutil.which(PLUGIN)
    return Path(on_path) if on_path else None


def ready(pulumi: Path, sink: Sink) -> Path:
    """Its executable, fetched from Pulumi's own place where it is not here yet.

    Raises:
        MissingError: it is not here and cannot be fetched.
    """
    found = installed()
    if found is None:
        with step(sink, f"Fetching Pulumi's AWS plugin {version()}"):
            _fetch(pulumi)
        found = installed()
    if found is None:
        raise _cannot_be_had("its archive has no program")
    return found


def _fetch(pulumi: Path) -> None:
    command = [str(pulumi), "plugin", "install", "resource", "aws", f"v{version()}"]
    env = {
        **os.environ,
        "PULUMI_HOME": str(places.pulumi_home()),
        "PULUMI_SKIP_UPDATE_CHECK": "true",
    }
    try:
        done = subprocess.run(
            command, env=env, capture_output=True, text=True, timeout=FETCH_SECONDS, check=False
        )
    except subprocess.TimeoutExpired as error:
        raise _cannot_be_had(f"no answer within {FETCH_SECONDS} s") from error
    if done.returncode:
        lines = [line for line in done.stderr.splitlines() if line.strip()]
        raise _cannot_be_had(lines[-1].strip() if lines else "pulumi gave no reason")


def _cannot_be_had(why: str) -> MissingError:
    return MissingError(
        f"Pulumi's AWS plugin {version()} is not installed and cannot be downloaded: {why}",
        where=str(places.pulumi_home() / "plugins"),
        hint=f"with network access: pulumi plugin install resource aws v{version()}; then "
        "copy that folder here. Without the plugin: `mlops-infra check -s STACK`,"
        " `mlops-infra preview -s STACK` and the same with --cost",
    )
