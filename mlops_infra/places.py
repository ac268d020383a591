"""The folders this program uses, and no others.

* cache (`$MLOPS_INFRA_CACHE`, else `$XDG_CACHE_HOME/mlops-infra`, else `~/.cache/mlops-infra`):
  what can be made again: tools, packages, images. Keyed by content; safe to delete at any time.
* data (`$MLOPS_INFRA_DATA`, else `$XDG_DATA_HOME/mlops-infra`, else
  `~/.local/share/mlops-infra`): what cannot: embedded clusters, Pulumi state, passphrases. 0700.
* project: charts, recipes and Go modules that ship with the program.
"""

from __future__ import annotations

import os
from pathlib import Path

from mlops_infra import contract

_PACKAGE = Path(__file__).resolve().parent


def _folder(variable: str, xdg: str, fallback: str) -> Path:
    own = os.environ.get(variable)
    if own:
        return Path(own).expanduser().absolute()
    base = os.environ.get(xdg)
    return (Path(base) if base else Path.home() / fallback) / "mlops-infra"


def cache() -> Path:
    """Folder of everything that can be made again; not created here."""
    return _folder(contract.CACHE_VARIABLE, "XDG_CACHE_HOME", ".cache")


def data() -> Path:
    """Folder of everything that must survive; not created here."""
    return _folder(contract.DATA_VARIABLE, "XDG_DATA_HOME", ".local/share")


def pulumi_home() -> Path:
    """Folder of Pulumi's plugins and logs: `$PULUMI_HOME`, else one in the cache."""
    own = os.environ.get("PULUMI_HOME")
    return Path(own).expanduser().absolute() if own else cache() / "pulumi-home"


def private(folder: Path) -> Path:
    """Create `folder` (and parents) readable by its owner alone, and return it."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    folder.chmod(0o700)
    return folder


def project() -> Path:
    """Folder with `Pulumi.yaml`, `charts/`, `recipes/`, `go/` and `stacks/`.

    In a checkout that is its root; in an installed wheel the copy that the wheel carries.
    """
    carried = _PACKAGE / "_project"
    return carried if carried.is_dir() else _PACKAGE.parent
