"""A whole platform under test: its own data folder and stack file, the shared cache."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from mlops_infra import places

ROOT = Path(__file__).resolve().parent.parent.parent
PATIENCE = 3600
"""Seconds for one command: with an empty cache everything is compiled first."""


class Platform:
    """An example stack as a user runs it: through the command line alone."""

    def __init__(self, folder: Path, stack: str = "core", like: str | None = None) -> None:
        """`like` names the example whose file the stack begins with, where it is not its own."""
        self.stack = stack
        self.example = ROOT / "stacks" / f"Pulumi.{like or stack}.yaml"
        self.data = folder / "data"
        self.stacks = folder / "stacks"
        self.stacks.mkdir(parents=True)
        shutil.copy(self.example, self.file)
        self.env = {
            "MLOPS_INFRA_DATA": str(self.data),
            "MLOPS_INFRA_STACKS": str(self.stacks),
            "MLOPS_INFRA_CACHE": str(places.cache()),
        }

    @property
    def file(self) -> Path:
        return self.stacks / f"Pulumi.{self.stack}.yaml"

    @property
    def kubeconfig(self) -> Path:
        return self.data / "clusters" / self.stack / "kubeconfig"

    @property
    def outputs(self) -> dict[str, Any]:
        return self.json("outputs", "-s", self.stack)

    def command(self, *words: str) -> list[str]:
        return [str(Path(sys.executable).parent / "mlops-infra"), *words]

    def start(self, *words: str, **options: Any) -> subprocess.Popen[str]:
        return subprocess.Popen(
            self.command(*words), cwd=ROOT, env=self.environment, text=True, **options
        )

    @property
    def environment(self) -> dict[str, str]:
        return {**os.environ, **self.env}

    def run(self, *words: str, **variables: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            self.command(*words),
            cwd=ROOT,
            env={**self.environment, **variables},
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            check=False,
        )

    def ok(self, *words: str) -> subprocess.CompletedProcess[str]:
        """Run a command that must succeed."""
        done = self.run(*words)
        assert done.returncode == 0, told(done)
        return done

    def json(self, *words: str) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.ok(*words, "--json").stdout)
        return found

    def up(self) -> dict[str, Any]:
        return self.json("up", "-s", self.stack)

    def configure(self, **changes: Any) -> None:
        """Write the stack's file: the shipped one with top keys changed."""
        text = self.example.read_text(encoding="utf-8")
        document = yaml.safe_load(text)
        document["config"] |= {f"mlops-infra:{key}": value for key, value in changes.items()}
        self.file.write_text(yaml.safe_dump(document, sort_keys=False), encoding="utf-8")

    def objects(self, bucket: str, tenant: str | None = None) -> Any:
        """A bucket as its owner sees it: with the tenant's keys, or those of the platform."""
        from mlops_infra.lifecycle.services.credentials import ClusterSecrets, Login, credentials
        from mlops_infra.lifecycle.services.object_store import S3Store

        secrets = ClusterSecrets(self.kubeconfig)
        login = credentials(secrets).objects
        if tenant is not None:
            keys = secrets.read(f"tenant-{tenant}", "object-store")
            login = Login(keys["accessKey"], keys["secretKey"])
        assert login is not None
        return S3Store(self.outputs["object_endpoint"], bucket, login)

    def processes(self) -> list[str]:
        """Command lines of processes that work for this data folder, but for the cluster's own."""
        mark = f"MLOPS_INFRA_DATA={self.data}".encode()
        found = []
        for folder in Path("/proc").glob("[0-9]*"):
            try:
                environment = (folder / "environ").read_bytes()
                words = (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode()
            except OSError:
                continue  # it ended while we looked
            ours = mark in environment and int(folder.name) != os.getpid()
            if ours and any(name in words for name in ("pulumi", "kubeprovider", "helm ")):
                found.append(words)
        return found


def told(done: subprocess.CompletedProcess[str]) -> str:
    """What a command said, for the report of a test: its last words, without the ticks of bars."""
    lines = [line for line in done.stderr.splitlines() if '"kind": "advanced"' not in line]
    words = " ".join(str(word) for word in done.args)
    return "\n".join([f"{words}: {done.returncode}", done.stdout[-4000:], *lines[-40:]])


def cluster_client(platform: Platform) -> Any:
    """The Kubernetes client library, pointed at the platform's cluster."""
    from kubernetes import config

    return config.new_client_from_config(str(platform.kubeconfig))


def left_behind(before: Any, platform: Platform) -> list[str]:
    """What this machine has now and had not `before`.

    All of it, where no other cluster lives here; else what bears the mark of this platform.
    """
    from mlops_infra.cluster.instance.layout import Layout
    from mlops_infra.cluster.node import footprint

    after = footprint.snapshot([platform.data])
    found = list(footprint.difference(before, after))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MLOPS_INFRA_DATA", str(platform.data))
        mine = Layout.of(platform.stack)
    if before.cgroups or after.cgroups:
        marks = (str(platform.data), mine.link, mine.cgroup)
        found = [line for line in found if any(mark in line for mark in marks)]
    return found
