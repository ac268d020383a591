"""The `go` command and the environment that keeps all it writes inside our cache."""

from __future__ import annotations

import os
import re
import shutil
from pathlib import Path

from mlops_infra.toolchain.manifest import target
from mlops_infra.toolchain.store import root

MINIMUM = "1.26"
"""The highest `go` line among the wrapper modules."""

_USUAL = (Path("/usr/local/go/bin/go"), Path("/usr/lib/go/bin/go"))
_LIMIT = "1500MiB"
"""Of the heap of one compiler, which collects garbage again from there on (`GOMEMLIMIT`)."""
_PLENTY = 4 << 30
"""Bytes of free memory for each core: `up` runs two builds, each with a compiler on every core."""


def find_go() -> Path | None:
    """The `go` command: on PATH, in `$GOROOT`, or where its installer puts it."""
    found = shutil.which("go")
    if found:
        return Path(found)
    own = os.environ.get("GOROOT")
    usual = ((Path(own) / "bin" / "go",) if own else ()) + _USUAL
    return next((path for path in usual if os.access(path, os.X_OK)), None)


def environment(work_folder: Path) -> dict[str, str]:
    """The caller's environment (proxy, certificates), with all of Go's folders in our cache."""
    base = root() / "go"
    system, processor = target().split("/")
    config = base / "config"
    own_settings = os.environ.get("GOENV") or str(_config_home() / "go" / "env")
    return {
        **_collection(),
        **{k: v for k, v in os.environ.items() if k not in ("GOROOT", "GOBIN")},
        "CGO_ENABLED": "0",
        "GOOS": system,
        "GOARCH": processor,
        "GO111MODULE": "on",
        "GOWORK": "off",
        # read-only folders would make the cache hard to delete
        "GOFLAGS": "-modcacherw",
        "GOPATH": str(base),
        "GOMODCACHE": str(base / "mod"),
        "GOCACHE": str(base / "build"),
        "GOTMPDIR": str(work_folder),
        # `go` keeps its counters below the configuration folder; `go env -w` of the user stays
        "XDG_CONFIG_HOME": str(config),
        "GOENV": own_settings,
    }


def _collection() -> dict[str, str]:
    """How often the compiler and linker, which live for seconds, collect garbage.

    Never takes 12 % less of the processor's time than `400` (versitygw: 97 s, 110 s).
    """
    plenty = _free_memory() >= _PLENTY * (os.cpu_count() or 1)
    return {"GOGC": "off" if plenty else "400", "GOMEMLIMIT": _LIMIT}


def _free_memory() -> int:
    """Bytes that this process may still take: of the machine, and of its cgroup (v2)."""
    found = re.search(r"^MemAvailable: +(\d+) kB$", _text(Path("/proc/meminfo")), re.MULTILINE)
    free = int(found[1]) << 10 if found else 0
    _, _, group = _text(Path("/proc/self/cgroup")).strip().rpartition("0::")
    folder = Path("/sys/fs/cgroup") / group.lstrip("/")
    limit, used = _text(folder / "memory.max").strip(), _text(folder / "memory.current").strip()
    return min(free, int(limit) - int(used)) if limit.isdigit() and used.isdigit() else free


def _text(file: Path) -> str:
    try:
        return file.read_text("utf-8")
    except OSError:
        return ""  # another kind of system: nothing is known, so nothing is taken for granted


def silence() -> None:
    """Switch Go's own counting of its use off, inside our cache."""
    mode = root() / "go" / "config" / "go" / "telemetry" / "mode"
    if not mode.exists():
        mode.parent.mkdir(parents=True, exist_ok=True)
        mode.write_text("off", "utf-8")


def _config_home() -> Path:
    named = os.environ.get("XDG_CONFIG_HOME")
    return Path(named) if named else Path.home() / ".config"
