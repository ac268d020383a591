"""An installation: what it lays down, and what is left of one that was stopped or refused."""

from __future__ import annotations

import io
import json
import os
import shutil
import signal
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest

from mlops_infra.errors import FoundError, InputError, MissingError, OperationFailed
from mlops_infra.progress import quiet
from offline_bundle import disk as room
from offline_bundle import layout
from offline_bundle.install import Wanted, install, preflight, remove
from offline_bundle.install.redirects import mirror
from offline_bundle.volumes import open_source, split
from tests.bundles import Maker
from tests.registries import incompressible

PLUGIN = "plugins/pulumi-resource-random-v4.16.0-linux-amd64.tar.gz"


def archive(**files: bytes) -> bytes:
    held = io.BytesIO()
    with tarfile.open(fileobj=held, mode="w:gz") as tar:
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size, member.mode = len(content), 0o755
            tar.addfile(member, io.BytesIO(content))
    return held.getvalue()


@pytest.fixture
def bundle(tmp_path: Path, key: Path) -> Path:
    """Without this program's wheel, so that no virtual environment is made."""
    maker = Maker(tmp_path / "bundle")
    maker.image("docker.io/library/server:1", [incompressible(200_000, 1)])
    maker.image("quay.io/ml/worker:2", [incompressible(50_000, 2)])
    maker.file(PLUGIN, archive(**{"pulumi-resource-random": b"a program"}))
    maker.seal(key)
    return maker.folder


def python() -> str:
    return f"{sys.version_info[0]}.{sys.version_info[1]}"


def test_everything_is_laid_down_below_the_root_and_taken_away_again(
    bundle: Path, tmp_path: Path
) -> None:
    root = tmp_path / "root"
    to = mirror("registry.site.example:5000/mlops")
    done = install(open_source([bundle]), Wanted(root, mirror=to), quiet)
    assert done.plugins == ("resource-random-v4.16.0",)
    program = root / "current/pulumi/plugins/resource-random-v4.16.0/pulumi-resource-random"
    assert os.access(program, os.X_OK)
    hosts = (root / "current/registries/certs.d/docker.io/hosts.toml").read_text()
    assert 'server = "https://registry.site.example:5000/v2/mlops/docker.io"' in hosts
    told = subprocess.run(
        ["sh", "-euc", '. "$0"; env', root / "environment"],
        capture_output=True, text=True, check=True, env={"PATH": os.environ["PATH"]},
    ).stdout  # fmt: skip
    settings = dict(line.split("=", 1) for line in told.splitlines())
    assert (Path(settings["MLOPS_INFRA_BUNDLE"]) / layout.INDEX).is_file()
    assert Path(settings["PULUMI_HOME"]).is_dir()
    assert (Path(settings["MLOPS_INFRA_REGISTRIES"]) / "quay.io").is_dir()
    assert settings["PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION"] == "true"

    again = install(open_source([bundle]), Wanted(root, mirror=to), quiet)
    assert again.unchanged
    assert again.release == done.release
    assert remove(root)
    assert not root.exists()
    assert not remove(root)
    assert (bundle / layout.INDEX).is_file()


def test_a_file_of_somebody_else_is_never_removed(bundle: Path, tmp_path: Path) -> None:
    taken = tmp_path / "taken"
    taken.mkdir()
    (taken / "thesis.txt").write_text("years of work")
    with pytest.raises(InputError):
        install(open_source([bundle]), Wanted(taken), quiet)
    with pytest.raises(InputError):
        remove(taken)
    root = tmp_path / "root"
    install(open_source([bundle]), Wanted(root), quiet)
    (root / "notes.txt").write_text("mine")
    with pytest.raises(FoundError) as caught:
        remove(root)
    assert caught.value.findings == ("notes.txt",)
    assert [each.name for each in root.iterdir()] == ["notes.txt"]


@pytest.mark.parametrize("how", ["program", "script", "folder"])
def test_what_runs_from_an_installation_is_not_pulled_from_under_it(
    bundle: Path, tmp_path: Path, how: str
) -> None:
    root = tmp_path / "root"
    install(open_source([bundle]), Wanted(root), quiet)
    folder = root / "current" / "bin"
    told = "echo up; read -r _"  # a shell that has told that it is up and waits for its input
    if how == "program":
        command = [shutil.copy(shutil.which("sh") or "", folder / "sh"), "-c", told]
    elif how == "script":
        (folder / "server").write_text(told)
        command = ["sh", str(folder / "server")]
    else:
        command = ["sh", "-c", told]
    cwd = folder if how == "folder" else tmp_path
    pipe = subprocess.PIPE
    with subprocess.Popen(command, cwd=cwd, stdin=pipe, stdout=pipe) as running:
        assert running.stdout is not None
        assert running.stdout.readline() == b"up\n"
        with pytest.raises(OperationFailed) as caught:
            remove(root)
        assert f"process {running.pid}" in caught.value.what
        assert (root / "current" / "bundle" / layout.INDEX).is_file()
        running.communicate(b"\n")
    for each in ("sh", "server"):
        (folder / each).unlink(missing_ok=True)
    assert remove(root)


KILLED = """
import os, signal, sys
from pathlib import Path
from mlops_infra.progress import quiet
from offline_bundle.install import Wanted, install, view
from offline_bundle.volumes import open_source
bundle, root, after = Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3])
done, one = [], view._one
def counted(*args, **more):
    if len(done) == after:
        os.kill(os.getpid(), signal.SIGKILL)
    done.append(one(*args, **more))
view._one = counted
install(open_source([bundle]), Wanted(root, copy=True), quiet)
"""


@pytest.mark.parametrize("after", [0, 3])
def test_a_killed_installation_leaves_the_one_before_in_use(
    bundle: Path, tmp_path: Path, key: Path, after: int
) -> None:
    root = tmp_path / "root"
    before = install(open_source([bundle]), Wanted(root), quiet)
    maker = Maker(tmp_path / "newer")
    maker.image("docker.io/library/server:2", [incompressible(200_000, 3)])
    maker.file(PLUGIN, archive(**{"pulumi-resource-random": b"a newer program"}))
    maker.seal(key)
    done = subprocess.run(
        [sys.executable, "-c", KILLED, maker.folder, root, str(after)], check=False
    )
    assert done.returncode == -signal.SIGKILL
    program = root / "current/pulumi/plugins/resource-random-v4.16.0/pulumi-resource-random"
    assert program.read_bytes() == b"a program"

    now = install(open_source([maker.folder]), Wanted(root, copy=True), quiet)
    assert program.read_bytes() == b"a newer program"
    assert [each.name for each in (root / "releases").iterdir()] == [now.release]
    assert now.release != before.release


def test_a_damaged_file_is_named_and_never_taken_into_use(bundle: Path, tmp_path: Path) -> None:
    damaged = bundle / PLUGIN
    content = bytearray(damaged.read_bytes())
    content[5] ^= 1
    damaged.write_bytes(content)
    with pytest.raises(FoundError) as caught:
        install(open_source([bundle]), Wanted(tmp_path / "root"), quiet)
    assert caught.value.findings == (PLUGIN,)
    assert not (tmp_path / "root" / "current").exists()


def test_room_and_volumes_are_asked_for_before_the_first_byte(
    bundle: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = tmp_path / "root"
    volumes = split(bundle, tmp_path / "volumes", 120_000, sink=quiet).folders
    assert len(volumes) > 2
    with pytest.raises(MissingError):
        install(open_source(volumes[:-1]), Wanted(root), quiet)
    source = open_source(volumes)
    size, files = preflight.needed(source, copy=False)
    for told, number in (("f_bavail", size // 512), ("f_favail", files - 1)):
        with monkeypatch.context() as patch:
            patch.setattr(room.os, "statvfs", full(**{told: number}))
            with pytest.raises(OperationFailed) as caught:
                install(source, Wanted(root), quiet)
            assert "--root" in str(caught.value.hint)
    assert not root.exists()
    installed = install(source, Wanted(root), quiet)
    whole = json.loads((root / "current/bundle" / layout.BUNDLE).read_bytes())
    assert all((root / "current/bundle" / file["path"]).is_file() for file in whole["files"])
    assert installed.release


def full(**told: int) -> object:
    class Disk:
        f_bavail, f_frsize, f_files, f_favail = 1 << 40, 256, 1 << 30, 1 << 30

    for name, value in told.items():
        setattr(Disk, name, value)
    return lambda _path: Disk


def test_another_python_is_refused(bundle: Path, tmp_path: Path) -> None:
    with pytest.raises(MissingError):
        install(open_source([bundle]), Wanted(tmp_path / "root", python=Path("/bin/true")), quiet)
    assert not (tmp_path / "root").exists()


@pytest.mark.parametrize(
    "name", ["http://registry.site", "registry site", "", "ftp://site", 'a/b"c']
)
def test_a_registry_that_is_none_is_refused(name: str) -> None:
    with pytest.raises(InputError):
        mirror(name)
