"""The `go` command and the environment that keeps all it writes inside our cache."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from mlops_infra.toolchain.manifest import target
from mlops_infra.toolchain.store import root

MINIMUM = "1.26"
"""The highest `go` line among the wrapper modules."""

_USUAL = (Path("/usr/local/go/bin/go"), Path("/usr/lib/go/bin/go"))
_LESS_COLLECTION = {
    # the compiler and linker live for seconds: fewer collections save 5 % of the time, and the
    # limit makes them collect again before they grow large
    "GOGC": "400",
    "GOMEMLIMIT": "1500MiB",
}


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
        **_LESS_COLLECTION,
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


def silence() -> None:
    """Switch Go's own counting of its use off, inside our cache."""
    mode = root() / "go" / "config" / "go" / "telemetry" / "mode"
    if not mode.exists():
        mode.parent.mkdir(parents=True, exist_ok=True)
        mode.write_text("off", "utf-8")


def _config_home() -> Path:
    named = os.environ.get("XDG_CONFIG_HOME")
    return Path(named) if named else Path.home() / ".config"
