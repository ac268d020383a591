"""Builds the tools of one family from their Go module."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from mlops_infra import contract
from mlops_infra.errors import Interrupted, OperationFailed
from mlops_infra.files import remove_tree
from mlops_infra.progress import Step
from mlops_infra.toolchain import go_client
from mlops_infra.toolchain.manifest import Family, Pin
from mlops_infra.toolchain.store import Origin, PassedOver, root

_MAJOR = re.compile(r"v[0-9]+")
_TOO_OLD = re.compile(r"requires go >=|invalid go version|unknown directive|toolchain not avail")
_NO_NETWORK = re.compile(
    r"no such host|network is unreachable|connection refused|i/o timeout|TLS handshake timeout"
    r"|server misbehaving|no route to host|module lookup disabled|proxyconnect"
)
_KEPT_LINES = 12


class _GoError(OperationFailed):
    """`go` ended with an error; `lines` are its last words."""

    def __init__(self, lines: Sequence[str]) -> None:
        super().__init__("go failed: " + (lines[-1] if lines else "no output"))
        self.lines = tuple(lines)


def make(family: Family, pins: Sequence[Pin], into: Path, work: Step) -> Origin | PassedOver:
    """Compile the programs of `pins` into the folder `into`, in one call that shares the work.

    What was compiled before an interruption is taken from Go's cache.

    Raises:
        OperationFailed: the compiler, the disk or the memory said no.
    """
    go = go_client.find_go()
    if go is None:
        return PassedOver("built", "Go is not installed")
    go_client.silence()
    temporary = into / "tmp"
    temporary.mkdir()
    environment = go_client.environment(temporary)
    packages = {package: name for pin in pins for name, package in pin.programs.items()}
    flags = family.flags
    try:
        with _in_module(family, into) as folder:
            run = _Runner(str(go), folder, environment)
            _overlay(run, family, folder)
            if packages:
                _count(run, flags, list(packages), work)
                _compile(run, flags, packages, into, work)
            _lay_files(run, family, pins, into)
    except _GoError as error:
        return _explained(error, family)
    return Origin("built", f"{family.module} {family.version}")


class _Runner:
    """Runs `go` in one module with one environment."""

    def __init__(self, go: str, folder: Path, environment: dict[str, str]) -> None:
        self._go = go
        self._folder = folder
        self._environment = environment

    def __call__(self, arguments: Sequence[str], on_line: Callable[[str], None]) -> list[str]:
        """Run `go`, give each line of its stderr to `on_line`, return the lines of its stdout."""
        out = Path(self._environment["GOTMPDIR"]) / "stdout"
        last: deque[str] = deque(maxlen=_KEPT_LINES)
        with out.open("w+", encoding="utf-8") as stdout:
            process = subprocess.Popen(
                [self._go, *arguments],
                cwd=self._folder,
                env=self._environment,
                stdin=subprocess.DEVNULL,
                stdout=stdout,
                stderr=subprocess.PIPE,
                text=True,
                errors="replace",
            )
            try:
                assert process.stderr is not None  # noqa: S101  PIPE was asked for
                for line in process.stderr:
                    last.append(line.rstrip())
                    on_line(line.rstrip())
                code = process.wait()
            except BaseException:
                # the compilers that it has started end by themselves within seconds
                process.kill()
                process.wait()
                raise
            finally:
                if process.stderr is not None:
                    process.stderr.close()
            if code:
                raise _GoError(tuple(last))
            stdout.seek(0)
            return stdout.read().splitlines()


@contextmanager
def _in_module(family: Family, into: Path) -> Iterator[Path]:
    """A copy of the wrapper module: the original may lie on a read-only disk."""
    folder = into / "module"
    shutil.copytree(family.folder, folder)
    try:
        yield folder
    finally:
        remove_tree(folder, missing_ok=True)


def _overlay(run: _Runner, family: Family, folder: Path) -> None:
    """Put our files where the module lacks one or has one that cannot be compiled.

    Go checks the module by go.sum first; it takes no `-overlay` in its cache, so a copy is made.
    """
    if not family.overlay:
        return
    said = run(["mod", "download", "-json", family.module], lambda _: None)
    copy = folder / "copy"
    shutil.copytree(json.loads("\n".join(said))["Dir"], copy)
    for path, file in family.overlay.items():
        (copy / path).parent.chmod(0o755)
        (copy / path).unlink(missing_ok=True)
        shutil.copyfile(folder / file, copy / path)
    run(["mod", "edit", f"-replace={family.module}=./copy"], lambda _: None)


def _count(run: _Runner, flags: Sequence[str], packages: list[str], work: Step) -> None:
    """Tell how many packages there are; this fetches the modules that are missing."""
    work.note("fetching Go modules")

    def tell(line: str) -> None:
        if line.startswith("go: downloading "):
            work.note(line.removeprefix("go: "))

    found = run(["list", "-deps", *flags, *packages], tell)
    work.advance(0, total=len(found))


def _compile(
    run: _Runner, flags: Sequence[str], packages: Mapping[str, str], into: Path, work: Step
) -> None:
    """Compile `packages` (package to file name) into the folder `into`."""

    def tell(line: str) -> None:
        # `-v` names each package when it has been compiled; other lines have spaces in them
        if line and " " not in line and not line.startswith("#"):
            work.advance()
            if line in packages:
                work.note(f"linking {_go_name(line)}")

    work.note("compiling")
    for number, together in enumerate(_rounds(packages)):
        out = into / f"out{number}"
        out.mkdir()
        run(["build", "-v", *flags, "-o", f"{out}{os.sep}", *together], tell)
        for package in together:
            (out / _go_name(package)).replace(into / packages[package])
    # the rest was in Go's cache already
    work.advance(max(0, (work.total or 0) - work.done))


def _rounds(packages: Iterable[str]) -> list[list[str]]:
    """As few groups as there can be in which no two programs get the same name from `go build`."""
    rounds: list[dict[str, str]] = []
    for package in packages:
        name = _go_name(package)
        free = next((each for each in rounds if name not in each), None)
        if free is None:
            rounds.append(free := {})
        free[name] = package
    return [list(each.values()) for each in rounds]


def _lay_files(run: _Runner, family: Family, pins: Sequence[Pin], into: Path) -> None:
    wanted = {name: path for pin in pins for name, path in pin.files.items()}
    if not wanted:
        return
    run(["mod", "download", family.module], lambda _: None)
    (folder,) = run(["list", "-m", "-f", "{{.Dir}}", family.module], lambda _: None)
    for name, path in wanted.items():
        source = Path(folder) / path
        if not source.is_dir():
            shutil.copyfile(source, into / name)
            continue
        for file in source.rglob("*.py"):
            copy = into / name / file.relative_to(source)
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(file, copy)


def _go_name(package: str) -> str:
    """The file name that `go build` gives to a package: its last part that is no major version."""
    *_, before, last = ("", *package.split("/"))
    return before if _MAJOR.fullmatch(last) else last


def _explained(error: _GoError, family: Family) -> PassedOver:
    text = "\n".join(error.lines)
    if _TOO_OLD.search(text):
        return PassedOver("built", f"Go is older than {go_client.MINIMUM}")
    if "signal: interrupt" in text:
        # Ctrl-C reaches `go` too, so it ends even where a thread waits for it
        raise Interrupted(
            f"the build of {family.name} was stopped",
            hint="run it again: completed work is kept",
        )
    if "no space left on device" in text:
        raise OperationFailed(
            f"the disk is full while compiling {family.name} {family.version}",
            where=str(root()),
            hint=f"free some space (or set {contract.CACHE_VARIABLE} to another disk) and run it"
            " again: completed work is kept",
        )
    if "signal: killed" in text:
        raise OperationFailed(
            f"the Go compiler was killed while building {family.name}: out of memory",
            hint="add memory (4 GB), or set GOMEMLIMIT=700MiB and GOGC=100, and run it again",
        )
    if _NO_NETWORK.search(text):
        return PassedOver("built", f"the Go modules cannot be reached: {error.lines[-1]}")
    raise OperationFailed(
        f"{family.name} {family.version} does not compile",
        where="\n".join(error.lines),
        hint="run it again; if it fails again, report it with these lines",
    )
