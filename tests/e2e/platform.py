"""A whole platform under test: its own data folder and stack file, the shared cache."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import yaml

from mlops_infra import places
from mlops_infra.cluster.node import footprint
from tests import machine

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
        self._deployed: Any = None
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
        """Start a command; what an `up` that may be interrupted has deployed is not known."""
        self._deployed = None
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
        done = self.json("up", "-s", self.stack)
        self._deployed = self._wanted()
        return done

    def settled(self) -> None:
        """Nothing differs, as Pulumi itself finds and as `up` says, which need not ask Pulumi."""
        assert self.json("preview", "-s", self.stack)["counts"] == {}
        assert self.up()["counts"] == {}

    def as_shipped(self) -> None:
        """Bring the example itself up, where the last `up` had other settings."""
        self.configure()
        if self._deployed != self._wanted():
            self.up()

    def _wanted(self) -> Any:
        return yaml.safe_load(self.file.read_text(encoding="utf-8"))

    def kill(self, title: str, done: int, *words: str) -> None:
        """Kill a command with SIGKILL in its step `title`, when so much of it is done."""
        child = self.start(*words, "--json", stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        said: list[str] = []
        for line in child.stderr or ():
            said.append(line)
            event = json.loads(line) if line.startswith("{") else {}
            if event.get("title") == title and event["done"] >= done:
                break
        else:
            pytest.fail(f"{words[0]} ended before it was killed:\n{''.join(said[-20:])}")
        child.kill()
        child.communicate()
        ends = time.monotonic() + 30
        while left := self.processes():
            assert time.monotonic() < ends, left
            time.sleep(0.2)

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
            if ours and any(name in words for name in ("pulumi", "helm ")):
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


@contextmanager
def taken_down(platform: Platform) -> Iterator[Platform]:
    """The platform for a while; afterwards it is taken down and must leave nothing."""
    before = footprint.snapshot([platform.data])
    try:
        yield platform
    finally:
        down = platform.run("down", "-s", platform.stack, "--purge")
    assert down.returncode == 0, told(down)
    assert left_behind(before, platform) == []
    assert platform.processes() == []
    assert not platform.data.exists()


def left_behind(before: footprint.Footprint, platform: Platform) -> list[str]:
    """What the platform left on this machine: see `tests.machine`."""
    return machine.left_behind(before, platform.data, platform.stack)
