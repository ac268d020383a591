"""Fake archive hosts: they serve what this machine has compiled, packed as the releases are.

The layout is that of the real archives, the content is not, so the checksums are others. A program
that shall take these archives runs from a copy of the checkout whose `tools.yaml` has them pinned,
and finds the hosts through `$MLOPS_INFRA_ARCHIVE_MIRROR`.
"""

from __future__ import annotations

import functools
import hashlib
import json
import shutil
import subprocess
import tarfile
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from mlops_infra import toolchain
from mlops_infra.toolchain import archive
from mlops_infra.toolchain.manifest import Archive, Pin, pins, target
from tests.golden import ROOT

PROGRAM = "import sys; from mlops_infra.cli.main import main; sys.exit(main())"


@dataclass(frozen=True, slots=True)
class Hosts:
    """What is served, and how a program is started that takes it."""

    tools: tuple[str, ...]
    """The tools whose archives are served: those that this machine has."""
    checkout: Path
    """The copy; `python -P -c PROGRAM` is its `mlops-infra`."""
    env: dict[str, str]
    """Variables that lead a program to the copy and to the fake hosts."""
    asked: list[str]
    """Paths of the requests so far, `/HOST/PATH`."""


@contextmanager
def serving(folder: Path, *, compress: bool = False) -> Iterator[Hosts]:
    """Serve all archives that can be made of the cached tools; `folder` is empty and on a disk.

    Args:
        compress: gzip them as the real ones are; without it they are made in less time.
    """
    made = _pack(folder / "hosts", "w:gz" if compress else "w")
    copy = folder / "checkout"
    _copy(copy, {old: new for _, old, new in made})
    asked: list[str] = []

    class Handler(SimpleHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            super().do_GET()

        def log_message(self, *_: object) -> None:
            return

    handler = functools.partial(Handler, directory=str(folder / "hosts"))
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        env = {
            archive.MIRROR: f"http://127.0.0.1:{server.server_port}",
            "PYTHONPATH": str(copy),
        }
        names = tuple(name for names, _, _ in made for name in names)
        yield Hosts(names, copy, env, asked)
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def _pack(folder: Path, mode: str) -> list[tuple[list[str], str, str]]:
    """Write the archives; names of the tools, the real digest and the fake one of each."""
    sharing: dict[str, list[Pin]] = {}
    for pin in pins().values():
        if target() in pin.archives and toolchain.locate(pin.name, from_path=False):
            sharing.setdefault(pin.archives[target()].url, []).append(pin)
    made = []
    for url, group in sharing.items():
        pinned = group[0].archives[target()]
        path = folder / url.removeprefix("https://")
        path.parent.mkdir(parents=True, exist_ok=True)
        digest = _image(path, group, mode) if pinned.image else _file(path, group, pinned, mode)
        made.append(([pin.name for pin in group], pinned.checksum.partition(":")[2], digest))
    return made


def _file(path: Path, group: Sequence[Pin], pinned: Archive, mode: str) -> str:
    if pinned.members:
        _tar(path, group, mode)
    else:
        (program,) = _programs(group[0]).values()
        shutil.copyfile(program, path)
    with path.open("rb") as file:
        return hashlib.file_digest(file, pinned.checksum.partition(":")[0]).hexdigest()


def _image(path: Path, group: Sequence[Pin], mode: str) -> str:
    """One layer and its manifest, in the place of its digest."""
    blobs = path.parent.parent / "blobs"
    blobs.mkdir()
    _tar(blobs / "layer", group, mode)
    layer = f"sha256:{hashlib.sha256((blobs / 'layer').read_bytes()).hexdigest()}"
    (blobs / "layer").rename(blobs / layer)
    manifest = json.dumps({"layers": [{"digest": layer}]}).encode()
    digest = hashlib.sha256(manifest).hexdigest()
    path.with_name(f"sha256:{digest}").write_bytes(manifest)
    return digest


def _tar(path: Path, group: Sequence[Pin], mode: str) -> None:
    level = {"compresslevel": 1} if mode == "w:gz" else {}
    with tarfile.open(path, mode, **level) as out:  # type: ignore[call-overload]
        for pin in group:
            for name, file in _programs(pin).items():
                out.add(file, pin.archives[target()].members[name])


def _programs(pin: Pin) -> dict[str, Path]:
    tool = toolchain.locate(pin.name, from_path=False)
    assert tool is not None
    folder = tool.path if tool.path.is_dir() else tool.path.parent
    return {name: folder / name for name in pin.contents}


def _copy(copy: Path, digests: dict[str, str]) -> None:
    """The checkout with other checksums; nothing else is changed."""
    listed = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    names = subprocess.run(listed, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    for name in filter(None, names.split("\0")):
        (copy / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(ROOT / name, copy / name, follow_symlinks=False)
    file = copy / "mlops_infra" / "toolchain" / "tools.yaml"
    text = file.read_text("utf-8")
    for old, new in digests.items():
        text = text.replace(old, new)
    file.write_text(text, "utf-8")
