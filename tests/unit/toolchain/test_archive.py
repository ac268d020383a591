import io
import tarfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mlops_infra.toolchain import archive

NASTY = st.one_of(
    st.sampled_from(
        ["../evil", "/etc/evil", "pkg/../../evil", "pkg/demo/../../evil", "./pkg/demo/", "demo"]
    ),
    st.text(alphabet="./\\demopkg\u00e9 ", min_size=1, max_size=20),
)
KINDS = st.sampled_from([tarfile.REGTYPE, tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.DIRTYPE])


def tar_of(path: Path, members: list[tuple[str, bytes]]) -> Path:
    with tarfile.open(path, "w:gz") as out:
        for name, kind in members:
            info = tarfile.TarInfo(name)
            info.type = kind
            content = b"content" if kind == tarfile.REGTYPE else b""
            info.linkname = "" if content else "/etc/passwd"
            info.size = len(content)
            out.addfile(info, io.BytesIO(content))
    return path


def unpack(file: Path, into: Path) -> str | None:
    return archive.unpack(file, {"pkg/demo": "demo"}, into)


def tree(folder: Path) -> set[Path]:
    return {path for path in folder.rglob("*") if path.name != "a.tgz"}


@settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(st.lists(st.tuples(NASTY, KINDS), max_size=6))
def test_nothing_is_written_but_the_programs_asked_for(kit, members):
    into = kit.root / "into"
    into.mkdir(exist_ok=True)
    (into / "demo").unlink(missing_ok=True)
    before = tree(kit.root)
    unpack(tar_of(kit.root / "a.tgz", members), into)
    new = tree(kit.root) - before
    assert new <= {into / "demo"}
    assert not (into / "demo").is_symlink()


@pytest.mark.parametrize("name", ["pkg/demo", "./pkg/demo"])
def test_the_program_is_found_however_the_archive_spells_its_path(kit, name):
    into = kit.root / "into"
    into.mkdir()
    file = tar_of(kit.root / "a.tgz", [("../evil", tarfile.REGTYPE), (name, tarfile.REGTYPE)])
    assert unpack(file, into) is None
    assert [p.name for p in into.iterdir()] == ["demo"]
    assert not (kit.root / "evil").exists()


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.DIRTYPE])
def test_a_link_in_place_of_the_program_is_refused(kit, kind):
    into = kit.root / "into"
    into.mkdir()
    problem = unpack(tar_of(kit.root / "a.tgz", [("pkg/demo", kind)]), into)
    assert problem is not None
    assert "not a program" in problem
