"""Compiles the Python files of a layer with the image's own interpreter, from outside.

The interpreter is started through the image's own dynamic loader and told where its libraries and
its standard library are: no chroot, no root, and nothing of the host's Python takes part. The
compiled files carry no time stamp (PEP 552, unchecked hash), so that they are the same each time
and are used on a read-only root without a look at the source.
"""

from __future__ import annotations

import os
import subprocess
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from mlops_infra.errors import OperationFailed
from mlops_infra.images.tree import Entry, Slice, Tree
from mlops_infra.progress import Sink, Step, step

_SHARDS = 8
"""A constant, not the number of cores: what one process compiles must not depend on the machine."""

_COMPILER = """
import sys
from importlib._bootstrap_external import _code_to_hash_pyc
from importlib.util import source_hash
for line in open(sys.argv[1], encoding="utf-8").read().split("\\0")[:-1]:
    source, name, out = line.split("\\n")
    with open(source, "rb") as file:
        text = file.read()
    try:
        code = compile(text, "/" + name, "exec", dont_inherit=True, optimize=0)
    except (SyntaxError, ValueError):
        continue
    with open(out, "wb") as file:
        file.write(_code_to_hash_pyc(code, source_hash(text), False))
"""


@dataclass(frozen=True, slots=True)
class _Job:
    source: Path
    name: str
    out: Path


class Interpreter:
    """The Python of an unpacked image."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def compile(self, tree: Tree, scratch: Path, sink: Sink) -> None:
        """Add a compiled file beside every `.py` file of `tree` that compiles.

        Raises:
            OperationFailed: the interpreter cannot be run.
        """
        scratch.mkdir(parents=True)
        sources = [
            (path, entry)
            for path, entry in tree.items()
            if entry.kind == "file" and path.endswith(".py") and "/python3" in path
        ]
        jobs = [_job(path, entry, scratch, n) for n, (path, entry) in enumerate(sources)]
        shards = [jobs[number::_SHARDS] for number in range(_SHARDS)]
        with (
            step(sink, "Compiling Python files", total=len(jobs), unit="files") as work,
            ThreadPoolExecutor(os.cpu_count()) as pool,
        ):
            list(pool.map(lambda shard: self._run(shard, work), shards))
        tag = f"cpython-{self._minor().replace('.', '')}"
        for job in jobs:
            if job.out.exists():
                folder, _, name = job.name.rpartition("/")
                content = Slice(job.out, 0, job.out.stat().st_size)
                path = f"{folder}/__pycache__/{name.removesuffix('.py')}.{tag}.pyc"
                tree.place(path, Entry("file", 0o644, content=content))

    def _minor(self) -> str:
        return self._binary().name.removeprefix("python")

    def _binary(self) -> Path:
        found = sorted((self._root / "usr" / "bin").glob("python3.[0-9]*"))
        if not found:
            raise OperationFailed("the base has no Python to compile with", where=str(self._root))
        return found[0]

    def _run(self, jobs: list[_Job], work: Step) -> None:
        if not jobs:
            return
        listed = jobs[0].out.with_suffix(".jobs")
        listed.write_text("".join(f"{j.source}\n{j.name}\n{j.out}\0" for j in jobs), "utf-8")
        libraries = self._root / "usr" / "lib" / "x86_64-linux-gnu"
        command = [
            str(libraries / "ld-linux-x86-64.so.2"),
            *("--library-path", str(libraries)),
            str(self._binary()),
            *("-S", "-s", "-B", "-c", _COMPILER, str(listed)),
        ]
        environment = {
            "PYTHONHOME": str(self._root / "usr"),
            "PYTHONHASHSEED": "0",
            "LC_ALL": "C.UTF-8",
        }
        result = subprocess.run(command, env=environment, capture_output=True, check=False)
        if result.returncode:
            raise OperationFailed(
                f"the image's Python could not compile: {result.stderr.decode()[-500:]}",
                where=str(self._binary()),
            )
        work.advance(len(jobs))


def _job(path: str, entry: Entry, scratch: Path, number: int) -> _Job:
    content = entry.content
    if isinstance(content, Slice) and content.offset == 0:
        source = content.file
    else:
        source = scratch / f"{number}.py"
        source.write_bytes(entry.read())
    return _Job(source, path, scratch / f"{number}.pyc")
