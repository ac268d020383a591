"""Programs that only tests use, each in an environment of its own: their pins bind nobody else."""

from __future__ import annotations

import fcntl
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from mlops_infra import places
from mlops_infra.toolchain import go_client

GO_PROGRAMS = {
    "registry": "github.com/distribution/distribution/v3/cmd/registry@v3.1.2",
    "crane": "github.com/google/go-containerregistry/cmd/crane@v0.22.1",
    "regctl": "github.com/regclient/regclient/cmd/regctl@v0.11.7",
    "cosign": "github.com/sigstore/cosign/v3/cmd/cosign@v3.1.3",
}
"""A registry to test against, the peers that are measured, and who has to accept signatures."""


def environment(requirement: str) -> Path:
    """Folder of the programs of `name==version` from PyPI; made once and kept in the cache."""
    name = requirement.replace("==", "-")
    python = f"py{sys.version_info[0]}{sys.version_info[1]}"
    folder = places.cache() / "test-tools" / f"{name}-{python}"
    with _alone(folder):
        if not (folder / "complete").exists():
            uv = [str(Path(sys.executable).parent / "uv")]
            subprocess.run([*uv, "venv", "-q", "--clear", "-p", sys.executable, folder], check=True)
            target = folder / "bin" / "python"
            subprocess.run([*uv, "pip", "install", "-q", "-p", target, requirement], check=True)
            (folder / "complete").touch()
    return folder / "bin"


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Let one process at a time make `folder`: tests run beside each other."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    with folder.with_name(f"{folder.name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def go_program(name: str, *, compiling: bool = True) -> Path | None:
    """A program of `GO_PROGRAMS`, compiled once and kept in the cache; None: not to be had here.

    `compiling=False` takes it only where it was compiled before.
    """
    package = GO_PROGRAMS[name]
    done = places.cache() / "test-tools" / f"{name}-{package.rpartition('@')[2]}" / name
    if done.exists():
        return done
    if not compiling:
        return None
    go = go_client.find_go()
    if go is None:
        return None
    with _alone(done.parent):
        return done if done.exists() or _compiled(go, package, done) else None


def _compiled(go: Path, package: str, done: Path) -> bool:
    done.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=done.parent) as scratch:
        into = Path(scratch) / "out"
        variables = {**go_client.environment(Path(scratch)), "GOBIN": str(into)}
        command = [str(go), "install", "-trimpath", "-ldflags=-s -w", package]
        run = subprocess.run(command, env=variables, capture_output=True, text=True, check=False)
        if run.returncode:
            sys.stderr.write(f"{done.name} cannot be compiled: {run.stderr[-2000:]}\n")
            return False
        (into / done.name).replace(done)
    return True
