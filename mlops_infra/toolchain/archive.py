"""Takes the programs of a tool out of its official release archive."""

from __future__ import annotations

import shutil
import tarfile
from pathlib import Path

from mlops_infra.progress import Step
from mlops_infra.toolchain.download import DownloadError, download
from mlops_infra.toolchain.manifest import Archive, Pin, target
from mlops_infra.toolchain.store import Origin, PassedOver

MAX_PROGRAM_BYTES = 1 << 29


def take(pin: Pin, into: Path, work: Step) -> Origin | PassedOver:
    """Download the archive of `pin` and lay its programs into the folder `into`."""
    archive = pin.archives.get(target())
    if archive is None:
        return PassedOver("archive", f"none pinned for {pin.name} on {target()}", notable=False)
    work.note(f"downloading {archive.url}")
    try:
        file = download(archive.url, archive.sha256, work)
    except DownloadError as error:
        return PassedOver("archive", str(error))
    try:
        reason = unpack(file, archive, pin, into)
    except (tarfile.TarError, OSError, EOFError) as error:
        reason = f"{archive.url} cannot be read: {error}"
    finally:
        file.unlink(missing_ok=True)
    return PassedOver("archive", reason) if reason else Origin("archive", archive.url)


def unpack(file: Path, archive: Archive, pin: Pin, into: Path) -> str | None:
    """Lay the wanted programs into `into`; return what is wrong with the archive, if anything.

    Names inside the archive choose nothing: a member is looked up in our own list and written under
    our own name, so no path, link or device in it can reach outside of `into`.
    """
    if not archive.members:
        (program,) = pin.programs
        shutil.copyfile(file, into / program)
        return None
    wanted = {path: program for program, path in archive.members.items()}
    with tarfile.open(file, "r|*") as members:
        for member in members:
            path = member.name.removeprefix("./")
            if path not in wanted:
                continue
            program = wanted.pop(path)
            content = members.extractfile(member) if member.isreg() else None
            if content is None or member.size > MAX_PROGRAM_BYTES:
                return f"{member.name} in {archive.url} is no program"
            with (into / program).open("wb") as out:
                shutil.copyfileobj(content, out)
    return f"{archive.url} holds no {', '.join(wanted)}" if wanted else None
