"""The cache of binaries: where each lies, how it gets there whole, and who may write.

::

    <cache>/toolchain/<tool>/<version>-<key8>/bin/<program>
                                             /origin.json    where it came from
    <cache>/toolchain/downloads/             parts of archives
    <cache>/toolchain/go/                    Go's module and build caches
    <cache>/toolchain/locks/<family>         held while a family is made
    <cache>/toolchain/work/<family>/         what is being made under that lock
"""

from __future__ import annotations

import contextlib
import fcntl
import itertools
import json
import os
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal

from mlops_infra import places
from mlops_infra.errors import OperationFailed
from mlops_infra.files import remove_tree
from mlops_infra.progress import Step
from mlops_infra.toolchain.manifest import Pin, key

Source = Literal["path", "pulumi", "cache", "bundle", "archive", "built"]
"""`pulumi`: Pulumi's home, where it keeps its plugins."""

_ORIGIN = "origin.json"
_POLL_SECONDS = 0.2
_TURNS_BETWEEN_NOTES = 50


@dataclass(frozen=True, slots=True)
class PassedOver:
    """A source that could not serve, and why; the next one is asked."""

    source: Source
    reason: str
    notable: bool = True
    """False where the source is simply not there, which is no news to anybody."""

    def __str__(self) -> str:
        return f"{self.source}: {self.reason}"


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a binary came from."""

    source: Source
    detail: str
    """A file, an address or a Go module."""
    passed_over: tuple[str, ...] = ()
    """The sources that were asked before, each with its reason."""


@dataclass(frozen=True, slots=True)
class Tool:
    """One tool that is ready to run."""

    name: str
    version: str
    path: Path
    """The program; the folder of all programs where the tool has several."""
    source: Source
    """Where this call found it; what is in the cache came from `origin`."""
    origin: Origin


def root() -> Path:
    """The folder of everything the toolchain writes."""
    return places.cache() / "toolchain"


def home(pin: Pin) -> Path:
    """The folder of one tool at its version and key."""
    return root() / pin.name / f"{pin.version}-{key(pin.name)[:8]}"


def cached(pin: Pin, source: Source = "cache") -> Tool | None:
    """The tool in the cache; None where it is not there whole."""
    folder = home(pin)
    files = [folder / "bin" / name for name in pin.contents]
    if not all(os.access(file, os.X_OK) for file in files):
        return None
    path = files[0] if len(pin.programs) == 1 else folder / "bin"
    return Tool(pin.name, pin.version, path, source, _origin(folder))


def _origin(folder: Path) -> Origin:
    try:
        told = json.loads((folder / _ORIGIN).read_text("utf-8"))
        return Origin(told["source"], told["detail"], tuple(told["passed_over"]))
    except (OSError, ValueError, TypeError, KeyError):
        # written before the folder got its name, so this is a file that somebody else has broken;
        # the binary beside it is as good as before
        return Origin("cache", "unknown")


@contextlib.contextmanager
def scratch(family: str) -> Iterator[Path]:
    """A folder for making `family`, whose lock is held; it goes away with the block.

    What a killed process has left behind there goes away first.
    """
    base = root() / "work" / family
    remove_tree(base, missing_ok=True)
    base.mkdir(parents=True, exist_ok=True)
    try:
        yield base
    finally:
        remove_tree(base, missing_ok=True)


def publish(pin: Pin, made: Path, origin: Origin) -> Tool:
    """Move the files of `pin` from the folder `made` into the cache, whole or not at all.

    The family's lock is held and `made` is on the file system of the cache.

    Raises:
        OperationFailed: a file of the tool is not in `made`.
    """
    new = made / f".{pin.name}"
    (new / "bin").mkdir(parents=True)
    for name in pin.contents:
        if not (made / name).exists():
            raise OperationFailed(f"the build of {pin.name} has no {name}", where=origin.detail)
        (made / name).replace(new / "bin" / name)
        (new / "bin" / name).chmod(0o755)
    (new / _ORIGIN).write_text(json.dumps(asdict(origin)), "utf-8")
    final = home(pin)
    final.parent.mkdir(parents=True, exist_ok=True)
    if final.exists():
        # an incomplete one: a complete one would have been found under this same lock
        final.rename(made / f".{pin.name}.old")
    new.rename(final)
    tool = cached(pin, origin.source)
    if tool is None:
        raise OperationFailed(
            f"{pin.name} is missing after it was written", where=str(final), hint="try again"
        )
    return tool


@contextlib.contextmanager
def locked(family: str, work: Step) -> Iterator[None]:
    """Be the only process that makes `family`; the lock goes with the process that holds it."""
    folder = root() / "locks"
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / family).open("w") as file:
        for turn in itertools.count():
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if turn % _TURNS_BETWEEN_NOTES == 1:
                    work.note("waiting for another process that builds it")
                time.sleep(_POLL_SECONDS)
        yield
