"""Fetches locked Debian packages into a cache folder that is addressed by content."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterable
from fcntl import LOCK_EX, flock
from pathlib import Path

from mlops_infra import contract, files, places
from mlops_infra.errors import OperationFailed
from mlops_infra.images.debian_index import MIRROR
from mlops_infra.images.locks import Package
from mlops_infra.progress import Sink, Step, step
from mlops_infra.transport import TROUBLE, Client, HttpError, Reply, bare, trust
from mlops_infra.transport.client import require_success
from mlops_infra.transport.retrying import persist

SNAPSHOT = "http://snapshot.debian.org/archive"
"""Keeps every version for ever; asked where the mirror has dropped a locked one."""

_APT_HELPER = Path("/usr/lib/apt/apt-helper")
_ATTEMPTS = 4
_BLOCK = 1 << 18
_BATCH = 12


def mirror() -> str:
    """`$MLOPS_INFRA_DEBIAN_MIRROR`, or Debian's own."""
    return os.environ.get(contract.DEBIAN_MIRROR_VARIABLE, MIRROR).rstrip("/")


def packages_folder() -> Path:
    """Where fetched packages are kept: `<sha256>.deb`."""
    return places.cache() / "packages"


def fetch(packages: Iterable[Package], snapshot: str, sink: Sink) -> dict[str, Path]:
    """Make sure that all `packages` are in the cache; return the file of each by its name.

    What is there already is hashed again before it is trusted. apt's own downloader is asked first
    where there is one, since apt has mirrors and proxies of its own (apt.conf); what it cannot get,
    and all of it elsewhere, comes by the transport that everything else comes by.

    Raises:
        OperationFailed: a package cannot be had, or is not the one that was locked.
    """
    folder = packages_folder()
    partial = folder / "partial"
    partial.mkdir(parents=True, exist_ok=True)
    packages = list(packages)
    files = {package.name: folder / f"{package.sha256}.deb" for package in packages}
    # images share packages: two builds side by side must not write one file
    with (partial / "lock").open("w") as lock:
        flock(lock, LOCK_EX)
        _fetch_missing(packages, files, snapshot, partial, sink)
    return files


def _fetch_missing(
    packages: list[Package], files: dict[str, Path], snapshot: str, partial: Path, sink: Sink
) -> None:
    missing = [package for package in packages if not _intact(files[package.name], package)]
    if not missing:
        return
    total = sum(package.size for package in missing)
    with step(sink, "Fetching Debian packages", total=total, unit="bytes") as work:
        # a login of the mirror's URL would stand on apt's command line, for everybody to read
        if _APT_HELPER.exists() and bare(mirror()) == mirror():
            missing = _with_apt(missing, partial, files, work)
        for package in missing:
            work.note(package.name)
            _with_http(package, snapshot, partial, files[package.name], work)


def _intact(file: Path, package: Package) -> bool:
    try:
        return file.stat().st_size == package.size and files.sha256(file) == package.sha256
    except FileNotFoundError:
        return False


def _with_apt(
    missing: list[Package], partial: Path, files: dict[str, Path], work: Step
) -> list[Package]:
    """Fetch by apt; return what it could not get, for the snapshot archive to answer."""
    for start in range(0, len(missing), _BATCH):
        batch = missing[start : start + _BATCH]
        work.note(", ".join(package.name for package in batch[:3]))
        words = [
            word
            for package in batch
            for word in (
                f"{mirror()}/{package.section}/{package.path}",
                str(partial / f"{package.sha256}.apt"),
                f"SHA256:{package.sha256}",
            )
        ]
        settings = ["-o", "Acquire::Retries=3", "-o", "APT::Sandbox::User=root"]
        if authorities := os.environ.get(trust.VARIABLE):
            settings += ["-o", f"Acquire::https::CAInfo={authorities}"]
        subprocess.run(
            [str(_APT_HELPER), *settings, "download-file", *words],
            capture_output=True,
            check=False,
        )
        for package in batch:
            fetched = partial / f"{package.sha256}.apt"
            if _intact(fetched, package):
                fetched.replace(files[package.name])
                work.advance(package.size)
    return [package for package in missing if not files[package.name].exists()]


def _with_http(package: Package, snapshot: str, partial: Path, target: Path, work: Step) -> None:
    sources = (
        f"{mirror()}/{package.section}/{package.path}",
        f"{SNAPSHOT}/{package.section}/{snapshot}/{package.path}",
    )
    reasons: list[str] = []
    part = partial / f"{package.sha256}.part"
    with Client() as client:
        for source in sources:
            try:
                _from(client, source, package, part, work)
            except HttpError as error:
                reasons.append(f"{bare(source)}: {error.what}")
            except (*TROUBLE, ValueError) as error:
                reasons.append(f"{bare(source)}: {error}")
            else:
                part.replace(target)
                return
    part.unlink(missing_ok=True)
    raise OperationFailed(
        f"the Debian package {package.name} {package.version} cannot be fetched",
        where="; ".join(reasons),
        hint=f"check the network, set {contract.DEBIAN_MIRROR_VARIABLE} to a mirror that you reach,"
        " or run: mlops-infra images lock",
    )


def _from(client: Client, source: str, package: Package, part: Path, work: Step) -> None:
    persist(lambda: _resume(client, source, package, part, work), attempts=_ATTEMPTS)
    if not _intact(part, package):
        part.unlink(missing_ok=True)
        raise ValueError("the content differs from the lock (size or SHA-256)")


def _resume(client: Client, source: str, package: Package, part: Path, work: Step) -> None:
    have = part.stat().st_size if part.exists() else 0
    if have == package.size:
        return
    with client.open(source, {"Range": f"bytes={have}-"} if have else {}) as reply:
        require_success(reply, (200, 206) if have else (200,))
        resumed = reply.status == 206
        if have and not resumed:
            work.advance(-have)
        _pour(reply, part, package.size - (have if resumed else 0), resumed, work)


def _pour(reply: Reply, part: Path, left: int, resumed: bool, work: Step) -> None:
    view = memoryview(bytearray(_BLOCK))
    with part.open("ab" if resumed else "wb") as file:
        while count := reply.readinto(view[: min(_BLOCK, left + 1)]):
            left -= count
            if left < 0:
                part.unlink()
                raise ValueError("the server sends more than the locked size")
            file.write(view[:count])
            work.advance(count)
    if left:
        raise ConnectionError(f"the connection ended {left} bytes early")
