"""Wheels of the program for the closed side, chosen from a package index by tags and hashes."""

from __future__ import annotations

import concurrent.futures
import hashlib
import os
from collections.abc import Callable, Sequence
from importlib import metadata
from typing import TypeVar

from packaging.tags import Tag
from packaging.utils import InvalidWheelFilename, parse_wheel_filename
from packaging.version import Version

from mlops_infra import __version__, places
from mlops_infra.errors import OperationFailed
from mlops_infra.progress import Sink, step
from mlops_infra.transport import TROUBLE, Client, Document, HttpError, bare, logins
from mlops_infra.transport.client import require_success
from mlops_infra.transport.retrying import persist
from offline_bundle.discover import index_page, requirements, targets
from offline_bundle.discover.requirements import Pinned
from offline_bundle.discover.wanted import WantedFile
from offline_bundle.model import Found

T = TypeVar("T")

PYPI = "https://pypi.org/simple"


def index_url(configured: str | None) -> str:
    """The package index: of the configuration, of pip's or uv's variables, else PyPI."""
    named = (os.environ.get(name) for name in logins.INDEX_VARIABLES)
    return (configured or next(filter(None, named), None) or PYPI).rstrip("/")


def of_program(
    extras: Sequence[str], platform: str, python: str, index: str, sink: Sink
) -> tuple[WantedFile, ...]:
    """The wheels that `mlops-infra[extras]` needs there, and the program's own.

    Raises:
        OperationFailed: the index cannot be reached, or has no wheel for the target.
    """
    pins = _pins(extras, platform, python)
    wanted = targets.tags(platform, python)
    logins.remember(index)
    with (
        Client() as client,
        step(sink, "Choosing wheels", total=len(pins), unit="wheels") as work,
        concurrent.futures.ThreadPoolExecutor(8) as pool,
    ):
        found = []
        for wheel in pool.map(lambda pin: _choose(pin, wanted, index, client), pins):
            found.append(wheel)
            work.advance()
    return (_program(), *found)


def named(extras: Sequence[str], platform: str, python: str) -> tuple[WantedFile, ...]:
    """The same by name and version alone, without a question to any index."""
    pins = _pins(extras, platform, python)
    return (
        _program(),
        *(WantedFile("wheel", pin.name, pin.version, "", "", (_found(pin),)) for pin in pins),
    )


def _pins(extras: Sequence[str], platform: str, python: str) -> tuple[Pinned, ...]:
    text = (places.project() / "requirements.lock").read_text("utf-8")
    own = metadata.distribution("mlops-infra").requires or []
    markers = targets.markers(platform, python)
    return requirements.chosen(requirements.read(text), own, extras, markers)


def _program() -> WantedFile:
    return WantedFile(
        kind="wheel",
        name="mlops-infra",
        version=__version__,
        filename=f"mlops_infra-{__version__}-py3-none-any.whl",
        source="project:wheel",
        found=(Found("the program itself"),),
        licence="Apache-2.0",
    )


def _found(pin: Pinned) -> Found:
    return Found(f"requirements.lock: {pin.name}, for {', '.join(sorted(pin.via))}")


def _choose(pin: Pinned, wanted: Sequence[Tag], index: str, client: Client) -> WantedFile:
    rank = {tag: position for position, tag in enumerate(wanted)}
    page = f"{index}/{pin.name}/"
    read = _page(client, page)
    ranked = [
        (best, file.filename, file)
        for file in index_page.read(read.url, read.content)
        if (best := _rank(file.filename, rank, pin)) is not None
    ]
    usable = [each for each in ranked if each[2].sha256 in pin.hashes]
    unstated = [each for each in ranked if each[2].sha256 is None]
    if not usable and not unstated:
        raise OperationFailed(
            f"{pin.name} {pin.version} has no wheel for the target",
            where=bare(page),
            hint="choose another --python or --target, or name another index in network.packages",
        )
    file = min(usable or unstated, key=lambda each: each[:2])[2]
    return WantedFile(
        kind="wheel",
        name=pin.name,
        version=pin.version,
        filename=file.filename,
        source=bare(file.url),
        found=(_found(pin),),
        sha256=file.sha256 or _hashed(client, file.url, pin),
    )


def _hashed(client: Client, url: str, pin: Pinned) -> str:
    """The SHA-256 of a wheel of which the index states another hash, or none: by reading it."""

    def read() -> str:
        digest, view = hashlib.sha256(), memoryview(bytearray(1 << 16))
        with client.open(url, {}) as reply:
            require_success(reply)
            while count := reply.readinto(view):
                digest.update(view[:count])
        return digest.hexdigest()

    found = _asked(lambda: persist(read), url)
    if found not in pin.hashes:
        raise OperationFailed(
            f"the wheel of {pin.name} {pin.version} is not one of requirements.lock:"
            f" sha256 {found}",
            where=bare(url),
            hint="name an index with the files of PyPI in network.packages",
        )
    return found


def _page(client: Client, url: str) -> Document:
    return _asked(lambda: client.document(url, accept=index_page.ACCEPT), url)


def _asked(question: Callable[[], T], url: str) -> T:
    try:
        return question()
    except TROUBLE as error:
        if isinstance(error, HttpError) and error.hint:
            raise
        told = error.what if isinstance(error, HttpError) else str(error)
        raise OperationFailed(
            f"the package index does not answer: {told}",
            where=bare(url),
            hint="name an index that can be reached from here: PIP_INDEX_URL, or network.packages",
        ) from error


def _rank(filename: str, rank: dict[Tag, int], pin: Pinned) -> int | None:
    if not filename.endswith(".whl"):
        return None
    try:
        name, version, _, tags = parse_wheel_filename(filename)
    except InvalidWheelFilename:
        return None  # an index keeps what was uploaded long ago
    if name != pin.name or version != Version(pin.version):
        return None
    return min((rank[tag] for tag in tags if tag in rank), default=None)
