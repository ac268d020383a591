"""Lays an image's layers down in a folder: the root of the embedded cluster's node."""

from __future__ import annotations

import json
import os
import shutil
import tarfile
from pathlib import Path
from typing import Any

from mlops_infra.errors import OperationFailed
from mlops_infra.files import remove_tree


def layer_files(layout: Path, digest: str) -> list[Path]:
    """The layer blobs of the image with manifest `digest`, the lowest first."""
    manifest = _json(layout, digest)
    return [_blob(layout, item["digest"]) for item in manifest["layers"]]


def unpack_layers(layers: list[Path], target: Path) -> Path:
    """Unpack `layers` over each other into `target`, all or nothing.

    A target that exists is taken as done, since it appears by one rename. Owners are set only when
    run as root. No entry can land outside: a parent that is a link is refused.

    Raises:
        OperationFailed: a layer is damaged, or an entry would leave the target.
    """
    if target.is_dir():
        return target
    scratch = target.with_name(f".{target.name}.{os.getpid()}")
    remove_tree(scratch, missing_ok=True)
    scratch.mkdir(parents=True)
    try:
        for file in layers:
            _unpack(file, scratch)
        scratch.chmod(0o755)
        scratch.rename(target)
    except tarfile.TarError as error:
        raise OperationFailed(
            f"a layer cannot be read: {error}",
            where=str(file),
            hint="remove the cache folder 'images' and build again",
        ) from error
    except OSError:
        if not target.is_dir():  # else somebody else has done the same work in the meantime
            raise
    finally:
        remove_tree(scratch, missing_ok=True)
    return target


def _unpack(file: Path, root: Path) -> None:
    modes: list[tuple[Path, int]] = []
    privileged = os.geteuid() == 0
    with tarfile.open(file, "r:") as tar:
        for member in tar:
            path = _inside(root, member.name)
            _lay_down(tar, member, path)
            if privileged:
                os.lchown(path, member.uid, member.gid)
            if member.isdir():
                modes.append((path, member.mode))
            elif not member.issym():
                path.chmod(member.mode)
    for path, mode in reversed(modes):
        path.chmod(mode)  # last, so that a read-only folder can be filled first


def _lay_down(tar: tarfile.TarFile, member: tarfile.TarInfo, path: Path) -> None:
    if member.isdir():
        if not path.is_dir() or path.is_symlink():
            path.unlink(missing_ok=True)
            path.mkdir()
        path.chmod(0o700)
        return
    if path.is_symlink() or path.is_file():
        path.unlink()
    if member.issym():
        path.symlink_to(member.linkname)
    elif member.isreg():
        source = tar.extractfile(member)
        assert source is not None  # noqa: S101  a regular file always has content
        with path.open("xb") as out:
            shutil.copyfileobj(source, out, 1 << 20)
        os.utime(path, (member.mtime, member.mtime))
    else:
        raise OperationFailed(f"refused the entry '{member.name}': neither file, folder nor link")


def _inside(root: Path, name: str) -> Path:
    parts = [part for part in name.split("/") if part not in ("", ".")]
    if ".." in parts or not parts:
        raise OperationFailed(f"refused the entry '{name}': its path leaves the image")
    parent = root
    for part in parts[:-1]:
        parent = parent / part
        if parent.is_symlink() or not parent.is_dir():
            raise OperationFailed(f"refused the entry '{name}': '{part}' is not a folder")
    return parent / parts[-1]


def _json(layout: Path, digest: str) -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads(_blob(layout, digest).read_bytes())
    return loaded


def _blob(layout: Path, digest: str) -> Path:
    return layout / "blobs" / "sha256" / digest.removeprefix("sha256:")
