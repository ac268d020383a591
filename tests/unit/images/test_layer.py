"""The bytes of a layer depend on the tree and on nothing else."""

import os
from pathlib import Path

from mlops_infra.images import layer, system_files
from mlops_infra.images.recipe import Applets, User
from mlops_infra.images.tree import Entry, Slice, Tree

GOLDEN = "sha256:b37a4459a0a627f9180e44ad73ddc9e50dbc9659e794f878c62c4db42678c368"
"""Of `sample`. Where this test fails because layers are written in another way on purpose, raise
`keys.BUILDER` together with this digest: layers in people's caches are found by that number."""


def sample(folder: Path, *, backwards: bool = False) -> Tree:
    content = folder / "content"
    content.write_bytes(b"0123456789")
    entries = [
        ("usr/bin/tool", Entry("file", 0o755, content=Slice(content, 2, 4))),
        ("usr/share/" + "long/" * 30 + "é", Entry("file", 0o644, 999, 999, b"text")),
        ("usr/share/ca-certificates/mozilla/a.crt", Entry("file", 0o644, content=b"PEM")),
        ("usr/bin/alias", Entry("link", target="tool")),
    ]
    tree = Tree()
    for path, entry in reversed(entries) if backwards else entries:
        tree.add(path, entry, where="sample.deb")
    system_files.add_system(tree)
    system_files.add_users(tree, [User(name="somebody", id=999)])
    binary = Applets(binary="/usr/bin/busybox", folder="/usr/bin", names=("ls", "tool"))
    system_files.add_applets(tree, binary)
    return tree


def written(tree: Tree, target: Path) -> str:
    digest, size = layer.write(tree, target, lambda _amount: None)
    assert target.stat().st_size == size
    return digest


def test_the_bytes_are_those_that_the_builder_number_stands_for(tmp_path: Path) -> None:
    assert written(sample(tmp_path), tmp_path / "layer.tar") == GOLDEN


def test_order_and_umask_leave_no_trace(tmp_path: Path) -> None:
    known = os.umask(0o077)
    try:
        tree = sample(tmp_path, backwards=True)
        assert written(tree, tmp_path / "layer.tar") == GOLDEN
    finally:
        os.umask(known)


def test_an_applet_gives_way_to_the_real_program(tmp_path: Path) -> None:
    tree = sample(tmp_path)
    tool, ls = tree.get("usr/bin/tool"), tree.get("usr/bin/ls")
    assert tool is not None
    assert tool.kind == "file"
    assert ls is not None
    assert ls.target == "/usr/bin/busybox"
