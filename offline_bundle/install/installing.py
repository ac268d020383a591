"""An installation from beginning to end: look for room, make a release, switch to it."""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from mlops_infra import files
from mlops_infra.errors import InputError, OperationFailed
from mlops_infra.progress import Sink, step
from offline_bundle.install import (
    environment,
    places,
    preflight,
    programs,
    redirects,
    view,
    virtualenv,
)
from offline_bundle.install.redirects import Mirror
from offline_bundle.volumes import Source


@dataclass(frozen=True, slots=True)
class Wanted:
    """How a bundle is to be installed."""

    root: Path
    copy: bool = False
    """Copy everything, so that the medium can be taken away; else large files become links."""
    python: Path | None = None
    """Interpreter of the virtual environment; the one that runs now where None."""
    mirror: Mirror | None = None
    """Where nodes pull from; without one no configuration of a container runtime is written."""


@dataclass(frozen=True, slots=True)
class Installed:
    """What `install` has laid down."""

    root: Path
    release: str
    environment: Path
    programs: tuple[str, ...] = ()
    plugins: tuple[str, ...] = ()
    charts: tuple[str, ...] = ()
    upstreams: tuple[str, ...] = field(default=())
    """Registry hosts that container runtimes are sent to the mirror for."""
    unchanged: bool = False
    """Whether this very release was there already."""


def install(source: Source, wanted: Wanted, sink: Sink) -> Installed:
    """Install the bundle `source` below `wanted.root`; the same call again changes nothing.

    A release is made beside the one in use and taken into use by one rename: whoever looks sees
    the old one or the new one, also when this is killed. Older releases go away afterwards.

    Raises:
        InputError: the root holds something else.
        FoundError: a file of the bundle is damaged.
        MissingError: a volume, or the right Python, is not here.
        OperationFailed: there is no room, or a part could not be laid down.
    """
    root = wanted.root.absolute()
    python = wanted.python or virtualenv.default_python()
    identity = _identity(source, wanted, python)
    release = places.release(root, identity)
    _require_ours(root)
    if (release / places.COMPLETE).is_file() and _current(root) == identity:
        return _installed(root, release, unchanged=True)
    virtualenv.require_python(python, source.contents.python)
    preflight.require(root, source, copy=wanted.copy)
    _claim(root)
    with _exclusive(root):
        files.remove_tree(release, missing_ok=True)
        try:
            _make(source, wanted, release, python, sink)
        except OSError as error:
            raise OperationFailed(
                f"the installation could not be written: {error.strerror}",
                where=error.filename or str(release),
                hint="free some room there, then run the command again",
            ) from error
        _switch(root, identity)
        for other in (root / places.RELEASES).iterdir():
            if other.name != identity:
                files.remove_tree(other)
    return _installed(root, release, unchanged=False)


def _make(source: Source, wanted: Wanted, release: Path, python: Path, sink: Sink) -> None:
    bundle = release / places.BUNDLE
    size = source.contents.size
    with step(sink, "Copying and hashing the bundle", total=size, unit="bytes") as work:
        view.lay(source, bundle, copy=wanted.copy, work=work)
    with step(sink, "Installing programs, plugins and charts") as work:
        told: dict[str, object] = {
            "programs": programs.lay_programs(bundle, release / places.BIN),
            "plugins": programs.lay_plugins(bundle, release / places.PULUMI),
            "charts": programs.lay_charts(bundle, release / places.CHARTS),
        }
        if wanted.mirror:
            hosts = redirects.upstreams(bundle)
            redirects.write(release / places.REGISTRIES, hosts, wanted.mirror)
            told["upstreams"] = hosts
        text = environment.text(wanted.root.absolute(), mirrored=wanted.mirror is not None)
        (release / places.ENVIRONMENT).write_text(text, "utf-8")
    requirement = virtualenv.requirement(bundle)
    if requirement:
        with step(sink, f"Installing {requirement} from the bundle's wheels"):
            virtualenv.make(bundle, release / places.VENV, python, requirement)
    (release / places.COMPLETE).write_text(json.dumps(told, indent=1, sort_keys=True), "utf-8")


def _identity(source: Source, wanted: Wanted, python: Path) -> str:
    """Everything that a release is made of: another one gets another folder."""
    where = [str(folder.path.absolute()) for folder in source.folders]
    asked = (source.identity, wanted.copy, str(python), repr(wanted.mirror), where)
    return hashlib.sha256(repr(asked).encode()).hexdigest()[:16]


def _require_ours(root: Path) -> None:
    if root.is_dir() and any(root.iterdir()) and not (root / places.MARK).is_file():
        raise InputError(
            "the folder has other content, which a removal could not tell apart",
            where=str(root),
            hint="choose an empty folder, or one that does not exist yet",
        )


def _claim(root: Path) -> None:
    try:
        (root / places.RELEASES).mkdir(parents=True, exist_ok=True)
        (root / places.MARK).touch()
    except OSError as error:
        raise OperationFailed(
            f"the root cannot be written: {error.strerror}",
            where=str(root),
            hint="choose another --root, or another user",
        ) from error


@contextlib.contextmanager
def _exclusive(root: Path) -> Iterator[None]:
    with (root / places.LOCK).open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise OperationFailed(
                "another installation into this folder is running", where=str(root)
            ) from None
        yield


def _current(root: Path) -> str | None:
    link = root / places.CURRENT
    return link.readlink().name if link.is_symlink() else None


def _switch(root: Path, identity: str) -> None:
    files.link(root / places.CURRENT, Path(places.RELEASES) / identity)
    files.link(root / places.ENVIRONMENT, Path(places.CURRENT) / places.ENVIRONMENT)


def _installed(root: Path, release: Path, *, unchanged: bool) -> Installed:
    complete = json.loads((release / places.COMPLETE).read_text("utf-8"))
    return Installed(
        root=root,
        release=release.name,
        environment=root / places.ENVIRONMENT,
        unchanged=unchanged,
        **{key: tuple(value) for key, value in complete.items()},
    )
