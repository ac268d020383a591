"""Takes the programs of tools out of the official archives of their releases."""

from __future__ import annotations

import os
import shutil
import tarfile
from collections.abc import Iterator, Sequence
from pathlib import Path

from mlops_infra import contract
from mlops_infra.progress import Step
from mlops_infra.toolchain import image
from mlops_infra.toolchain.download import DownloadError, download
from mlops_infra.toolchain.manifest import Archive, Pin, target
from mlops_infra.toolchain.store import Origin, PassedOver
from mlops_infra.transport import bare

MIRROR = contract.ARCHIVE_MIRROR_VARIABLE
"""Address of a site's own copy: `https://HOST/PATH` is then fetched from `$MIRROR/HOST/PATH`."""
MAX_PROGRAM_BYTES = 1 << 29


def take(pins: Sequence[Pin], into: Path, work: Step) -> dict[str, Origin | PassedOver]:
    """Lay the programs of `pins` into the folder `into`; return by name where each came from.

    An archive that several of them share is downloaded once.
    """
    taken: dict[str, Origin | PassedOver] = {}
    sharing: dict[str, list[Pin]] = {}
    for pin in pins:
        archive = pin.archives.get(target())
        if archive:
            sharing.setdefault(archive.url, []).append(pin)
        else:
            taken[pin.name] = PassedOver("archive", missing(pin) or "none", notable=False)
    for group in sharing.values():
        taken |= dict.fromkeys([pin.name for pin in group], _together(group, into, work))
    return taken


def missing(pin: Pin) -> str | None:
    """Why no archive of `pin` is pinned for this machine; None where one is."""
    if target() in pin.archives:
        return None
    return pin.unpublished or f"no published checksum was found for {target()}"


def _together(group: Sequence[Pin], into: Path, work: Step) -> Origin | PassedOver:
    """Take the programs of all `group` out of the one archive that holds them."""
    archives = [pin.archives[target()] for pin in group]
    wanted = {path: name for archive in archives for name, path in archive.members.items()}
    url = _address(archives[0].url)
    shown = bare(url)
    work.note(f"downloading {shown}")
    problem: str | None = None
    try:
        for file in _files(url, archives[0], work):
            problem = _emptied(file, wanted, group[0], into)
            if problem or not wanted:
                break
    except DownloadError as error:
        return PassedOver("archive", str(error))
    problem = problem or (f"it has no {', '.join(wanted)}" if wanted else None)
    return PassedOver("archive", f"{shown}: {problem}") if problem else Origin("archive", shown)


def _files(url: str, archive: Archive, work: Step) -> Iterator[Path]:
    if archive.image:
        yield from image.layers(url, archive.checksum, work)
    else:
        yield download(url, archive.checksum, work)


def _emptied(file: Path, wanted: dict[str, str], pin: Pin, into: Path) -> str | None:
    """`unpack`, after which the file goes; what cannot be read is a problem too."""
    try:
        if wanted:
            return unpack(file, wanted, into)
        (program,) = pin.programs
        shutil.copyfile(file, into / program)
    except (tarfile.TarError, OSError, EOFError) as error:
        return f"it cannot be read: {error}"
    finally:
        file.unlink(missing_ok=True)
    return None


def unpack(file: Path, wanted: dict[str, str], into: Path) -> str | None:
    """Lay the programs `wanted` (path within the archive → name) into `into`, if they are there.

    What is found is taken out of `wanted`. Returns what is wrong with the archive, if anything.

    Names inside the archive choose nothing: a member is looked up in our own list and written under
    our own name, so no path, link or device in it can reach outside of `into`.
    """
    with tarfile.open(file, "r|*") as members:
        for member in members:
            path = member.name.removeprefix("./")
            if path not in wanted:
                continue
            content = members.extractfile(member) if member.isreg() else None
            if content is None or member.size > MAX_PROGRAM_BYTES:
                return f"{member.name} is not a program"
            with (into / wanted.pop(path)).open("wb") as out:
                shutil.copyfileobj(content, out)
            if not wanted:
                break
    return None


def _address(url: str) -> str:
    """Where `url` is fetched from: a site's own copy of it, where there is one."""
    mirror = os.environ.get(MIRROR, "").rstrip("/")
    return f"{mirror}/{url.removeprefix('https://')}" if mirror else url
