"""What is where, and why it came from there."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from mlops_infra import files
from mlops_infra.toolchain import archive, on_path, store
from mlops_infra.toolchain.manifest import Pin, key, selected, target
from mlops_infra.toolchain.store import PassedOver, Tool


@dataclass(frozen=True, slots=True)
class Listed:
    """One line of `toolchain list`."""

    name: str
    version: str
    """The pinned one; no other is ever taken."""
    key: str
    """First 8 characters of the hash over everything that determines the binary."""
    licence: str
    module: str
    """The Go module it can be built from."""
    archive: str | None
    """The release archive with a pinned checksum for this machine, where there is one."""
    no_archive: str | None
    """Why there is none; it is compiled then."""
    source: Literal["path", "pulumi", "cache"] | None
    """Where it lies; None where it is not on this machine."""
    origin: str | None
    """Where it came from: the source and its address."""
    passed_over: tuple[str, ...]
    """Sources that could not serve, each with its reason."""
    path: Path | None
    size: int | None
    """Bytes of all its files."""

    def as_dict(self) -> dict[str, object]:
        """The same for `--json`, keys in camelCase."""
        return {
            "name": self.name,
            "version": self.version,
            "key": self.key,
            "licence": self.licence,
            "module": self.module,
            "archive": self.archive,
            "noArchive": self.no_archive,
            "source": self.source,
            "origin": self.origin,
            "passedOver": list(self.passed_over),
            "path": str(self.path) if self.path else None,
            "size": self.size,
        }


def listing(names: Iterable[str] = ()) -> tuple[Listed, ...]:
    """Every tool of `names` (all, where it is empty) as it is now; nothing is fetched or built.

    Raises:
        InputError: a name is unknown.
    """
    return tuple(map(_listed, selected(names)))


def _listed(pin: Pin) -> Listed:
    found = on_path.find(pin)
    tool = found if isinstance(found, Tool) else store.cached(pin)
    pinned = pin.archives.get(target())
    over = list(tool.origin.passed_over) if tool else []
    if isinstance(found, PassedOver) and found.notable:
        over.insert(0, str(found))
    return Listed(
        name=pin.name,
        version=pin.version,
        key=key(pin.name)[:8],
        licence=pin.family.licence,
        module=pin.family.module,
        archive=pinned.url if pinned else None,
        no_archive=archive.missing(pin),
        source=_where(tool),
        origin=f"{tool.origin.source}: {tool.origin.detail}" if tool else None,
        passed_over=tuple(over),
        path=tool.path if tool else None,
        size=_size(pin, tool) if tool else None,
    )


def _where(tool: Tool | None) -> Literal["path", "pulumi", "cache"] | None:
    if tool is None:
        return None
    return tool.source if tool.source in ("path", "pulumi") else "cache"


def _size(pin: Pin, tool: Tool) -> int:
    if tool.source in ("path", "pulumi"):
        return tool.path.stat().st_size
    folder = store.home(pin) / "bin"
    return sum(file.stat().st_size for file in files.below(folder))
