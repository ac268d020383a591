"""Builds one layer of an image from its recipe's part."""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from mlops_infra import __version__, toolchain
from mlops_infra.errors import OperationFailed
from mlops_infra.files import below, sha256
from mlops_infra.images import deb, fetch, layer, locks, program, sbom, system_files
from mlops_infra.images.bytecode import Interpreter
from mlops_infra.images.recipe import Recipe
from mlops_infra.images.rootfs import unpack_layers
from mlops_infra.images.tree import Entry, Slice, Tree
from mlops_infra.images.wheels import add_wheels
from mlops_infra.progress import Sink, step

Components = tuple[dict[str, object], ...]

DOCUMENTATION = (
    *("usr/share/doc/**", "usr/share/man/**", "usr/share/info/**", "usr/share/locale/**"),
    *("usr/share/lintian/**", "usr/share/bug/**", "usr/share/doc-base/**", "usr/share/apport/**"),
    *("usr/share/bash-completion/**", "usr/share/zsh/**", "usr/share/initramfs-tools/**"),
)
RUNNING_DEBIAN = (
    *("usr/lib/systemd/**", "usr/lib/tmpfiles.d/**", "usr/lib/sysusers.d/**", "usr/lib/udev/**"),
    *("etc/init.d/**", "etc/cron.*/**", "etc/default/**", "etc/logrotate.d/**", "etc/pam.d/**"),
    *("etc/apparmor.d/**", "var/cache/**", "usr/lib/x86_64-linux-gnu/gconv/**"),
)
"""What only serves a booted machine or a terminal's user; left out of every image."""

COPYRIGHT = ("usr/share/doc/*/copyright", "usr/share/common-licenses/**")
"""Always kept: the licences ask for it."""

_PT_INTERP = 3

PYTHON_FOLDER = "usr/local/lib/python{minor}/dist-packages"
"""Where Debian's interpreter looks for packages that are not Debian's own."""


@dataclass(frozen=True, slots=True)
class Work:
    """What a builder of a layer is given."""

    recipe: Recipe
    lineage: tuple[Recipe, ...]
    scratch: Path
    interpreter: tuple[Path, ...]
    """The layers of Debian packages below, the lowest first: all that runs Python. Layers of wheels
    are not among them, since unpacking a gigabyte takes longer than all the rest of a build."""
    sink: Sink


def debian(work: Work) -> tuple[Tree, Components]:
    """The layer of Debian packages."""
    recipe = work.recipe
    assert recipe.debian is not None  # noqa: S101  this part exists for such recipes only
    lock = locks.debian(recipe.name)
    files = fetch.fetch(lock.packages, lock.snapshot, work.sink)
    tree = Tree()
    title = f"Unpacking the packages of {recipe.name}"
    with step(work.sink, title, total=len(lock.packages), unit="packages") as shown:
        for number, package in enumerate(lock.packages):
            control = deb.unpack(files[package.name], tree, work.scratch / f"{number}.tar")
            # one file a package, where scanners of images without dpkg look for them
            status = f"var/lib/dpkg/status.d/{package.name}"
            tree.place(status, Entry("file", 0o644, content=control))
            shown.advance()
    tree.drop((*DOCUMENTATION, *RUNNING_DEBIAN, *recipe.debian.exclude), keep=COPYRIGHT)
    if recipe.system:
        system_files.add_system(tree)
        system_files.add_users(tree, system_files.all_users(work.lineage))
    if recipe.applets:
        system_files.add_applets(tree, recipe.applets)
    if recipe.bytecode:
        # the interpreter is in this very layer: write it once without compiled files to run it
        plain = work.scratch / "plain.tar"
        layer.write(tree, plain, lambda _amount: None)
        _compile(work, tree, plain)
    return tree, tuple(
        sbom.debian_component(package, lock.suite, deb.licence(tree, package.name))
        for package in lock.packages
    )


def python(work: Work) -> tuple[Tree, Components]:
    """The layer of wheels."""
    recipe = work.recipe
    assert recipe.python is not None  # noqa: S101  this part exists for such recipes only
    tree = Tree()
    target = _python_folder(work.lineage)
    components = add_wheels(recipe, tree, target, work.scratch / "wheels", work.sink)
    tree.drop(f"{target}/{pattern}" for pattern in recipe.python.exclude)
    if recipe.bytecode:
        _compile(work, tree)
    return tree, components


def tools(work: Work) -> tuple[Tree, Components]:
    """The layer of what the toolchain has: static binaries, and folders of scripts."""
    tree = Tree()
    components = []
    names = [tool.name for tool in work.recipe.tools]
    found = toolchain.ensure(names, work.sink, from_path=False)
    for tool in work.recipe.tools:
        made = found[tool.name]
        if made.path.is_dir():
            digest = _place_folder(tree, tool.path, made.path)
        else:
            require_static(made.path)
            content = Slice(made.path, 0, made.path.stat().st_size)
            tree.place(tool.path, Entry("file", 0o755, content=content))
            digest = sha256(made.path)
        family = toolchain.pin(tool.name).family
        components.append(
            sbom.binary_component(tool.name, made.version, family.module, family.licence, digest)
        )
    return tree, tuple(components)


def _place_folder(tree: Tree, path: str, folder: Path) -> str:
    """Put the files of `folder` below `path`; return a SHA-256 over their names and contents."""
    digest = hashlib.sha256()
    for file in sorted(below(folder)):
        name, content = file.relative_to(folder), file.read_bytes()
        tree.place(f"{path}/{name}", Entry("file", 0o644, content=content))
        digest.update(f"{name} {hashlib.sha256(content).hexdigest()}\n".encode())
    return digest.hexdigest()


def require_static(binary: Path) -> None:
    """Refuse a program that needs a loader: the image it goes into has none.

    Raises:
        OperationFailed: it is not a 64-bit ELF file, or it names an interpreter (PT_INTERP).
    """
    with binary.open("rb") as file:
        header = file.read(64)
        if header[:5] != b"\x7fELF\x02":
            raise OperationFailed("not a 64-bit ELF program", where=str(binary))
        table, size, count = struct.unpack_from("<Q14xHH", header, 32)
        file.seek(table)
        programs = file.read(size * count)
    kinds = {struct.unpack_from("<I", programs, size * number)[0] for number in range(count)}
    if _PT_INTERP in kinds:
        raise OperationFailed(
            "the program is linked dynamically and cannot run in a static image",
            where=str(binary),
            hint="remove it from PATH, so that the pinned static one is used",
        )


def own_program(work: Work) -> tuple[Tree, Components]:
    """The layer of this repository's own packages."""
    tree = Tree()
    program.add(tree, _python_folder(work.lineage))
    if work.recipe.bytecode:
        _compile(work, tree)
    component = sbom.program_component(__version__, program.key())
    return tree, (component,)


def files(work: Work) -> tuple[Tree, Components]:
    """The layer of what the recipe itself spells out."""
    tree = Tree()
    system_files.add_files(tree, work.recipe)
    if work.recipe.users and not work.recipe.system:
        system_files.add_users(tree, system_files.all_users(work.lineage))
    return tree, ()


def _python_folder(lineage: tuple[Recipe, ...]) -> str:
    version = next(recipe.python.version for recipe in lineage if recipe.python)
    return PYTHON_FOLDER.format(minor=version.rpartition(".")[0])


def _compile(work: Work, tree: Tree, *extra: Path) -> None:
    root = unpack_layers([*work.interpreter, *extra], work.scratch / "interpreter")
    Interpreter(root).compile(tree, work.scratch / "compile", work.sink)


BUILDERS: dict[str, Callable[[Work], tuple[Tree, Components]]] = {
    "debian": debian,
    "python": python,
    "tools": tools,
    "program": own_program,
    "files": files,
}
"""By the part's name in `keys.LayerKey`."""
