"""Rendering a chart with the helm binary, with nothing secret on its command line."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from mlops_infra.kubeprovider.cluster import Cluster
from mlops_infra.kubeprovider.problems import ProviderError
from mlops_infra.kubeprovider.values import Tree

_SECONDS = 300
_ASSET_KEYS = ("text", "path")


@dataclass(frozen=True, slots=True)
class ChartRequest:
    """What to render."""

    name: str
    """Of the release."""
    chart: str
    """A folder, an archive, a URL, or a name in `repository`."""
    namespace: str
    values: dict[str, Any] = field(repr=False, default_factory=dict)
    value_files: tuple[Tree, ...] = field(repr=False, default=())
    version: str | None = None
    repository: dict[str, Any] = field(repr=False, default_factory=dict)
    flags: tuple[str, ...] = ()


def helm_binary() -> str:
    """The helm to use: `$MLOPS_INFRA_HELM`, else the one on `PATH`.

    Raises:
        ProviderError: there is none.
    """
    named = os.environ.get("MLOPS_INFRA_HELM")
    found = shutil.which(named or "helm")
    if found is None:
        where = f"$MLOPS_INFRA_HELM names {named}" if named else "it is not on PATH"
        raise ProviderError(
            f"a chart needs the helm binary, and {where}. Type: mlops-infra toolchain install"
        )
    return found


def render(cluster: Cluster, wanted: ChartRequest) -> str:
    """Render a chart as `helm template --dry-run=server` does, without hooks.

    Raises:
        ProviderError: helm is missing or refuses; its last lines tell why.
    """
    with _kubeconfig(cluster) as access, _value_files(wanted) as files:
        command = [
            helm_binary(),
            "template",
            wanted.name,
            wanted.chart,
            "--dry-run=server",
            "--no-hooks",
            f"--namespace={wanted.namespace}",
            f"--kube-version={cluster.version()}",
            f"--api-versions={','.join(cluster.discovery.api_versions())}",
            *access,
            *wanted.flags,
            *(f"--version={v}" for v in [wanted.version] if v),
            *_repository_flags(wanted.repository),
            *(f"--values={file}" for file in files),
            "--values=-",
        ]
        # values may hold secrets: standard input is seen by nobody else
        done = subprocess.run(
            command,
            input=json.dumps(wanted.values).encode(),
            capture_output=True,
            timeout=_SECONDS,
            check=False,
        )
    if done.returncode:
        lines = done.stderr.decode(errors="replace").strip().splitlines()
        told = [
            line for line in lines if not line.startswith(("WARNING", "coalesce.go", "walk.go"))
        ]
        raise ProviderError(f"helm cannot render {wanted.chart}: {' '.join(told[-5:])}")
    return done.stdout.decode()


def _repository_flags(repository: dict[str, Any]) -> list[str]:
    if repository.get("password"):
        raise ProviderError("a chart repository with a password needs the official provider")
    named = {"repo": "--repo", "username": "--username", "caFile": "--ca-file"}
    return [f"{flag}={repository[key]}" for key, flag in named.items() if repository.get(key)]


@contextmanager
def _kubeconfig(cluster: Cluster) -> Iterator[list[str]]:
    """Flags with which helm's `lookup` reaches the same cluster."""
    settings = cluster.settings
    context = [f"--kube-context={settings.context}"] if settings.context else []
    given = settings.kubeconfig
    if not given:
        yield context
        return
    if Path(given).expanduser().exists() if "\n" not in given else False:
        yield [f"--kubeconfig={Path(given).expanduser()}", *context]
        return
    with tempfile.TemporaryDirectory(prefix="mlops-infra-") as folder:
        file = Path(folder) / "kubeconfig"
        file.touch(mode=0o600)
        file.write_text(given, encoding="utf-8")
        yield [f"--kubeconfig={file}", *context]


@contextmanager
def _value_files(wanted: ChartRequest) -> Iterator[list[Path]]:
    with tempfile.TemporaryDirectory(prefix="mlops-infra-") as folder:
        files = []
        for index, asset in enumerate(wanted.value_files):
            if not isinstance(asset, dict) or not any(asset.get(key) for key in _ASSET_KEYS):
                raise ProviderError("valueYamlFiles takes file and text assets")
            if asset.get("path"):
                files.append(Path(asset["path"]))
                continue
            file = Path(folder) / f"{index}.yaml"
            file.touch(mode=0o600)
            file.write_text(asset["text"], encoding="utf-8")
            files.append(file)
        yield files
