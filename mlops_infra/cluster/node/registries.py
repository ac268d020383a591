"""Where the node's containerd pulls from: what the installation of an offline bundle says.

Without one there are no such files, and nothing to pull either: the node has no way out.
"""

from __future__ import annotations

import os
import re
import shutil
from pathlib import Path

from mlops_infra import contract
from mlops_infra.cluster.instance.layout import NODE_ETC
from mlops_infra.errors import InputError

VARIABLE = contract.REGISTRIES_VARIABLE
"""Folder with a `<host>/hosts.toml` for each upstream host, as containerd reads it."""
_LOOPBACK = re.compile(r"(?<=//)(?:127\.0\.0\.1|localhost)(?=[:/])")
_CA = re.compile(r'^(\s*ca = )"([^"]+)"', re.M)


def write(folder: Path, host: str) -> None:
    """Make `folder` what `$MLOPS_INFRA_REGISTRIES` holds; empty where it names nothing.

    Loopback in those files is this machine; seen from the node it is `host`. Authorities are
    copied, for the node does not see this machine's files.

    Raises:
        InputError: the variable names no folder, or a file of authorities is not there.
    """
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    named = os.environ.get(VARIABLE)
    if not named:
        return
    if not Path(named).is_dir():
        raise InputError(
            f"{VARIABLE} is not a folder",
            where=named,
            hint="source the environment file of the installation again, or unset it",
        )
    for source in sorted(Path(named).glob("*/hosts.toml")):
        target = folder / source.parent.name
        target.mkdir()
        text = _LOOPBACK.sub(host, source.read_text("utf-8"))
        (target / "hosts.toml").write_text(_with_own_authorities(text, target), "utf-8")


def _with_own_authorities(text: str, target: Path) -> str:
    for number, match in enumerate(_CA.finditer(text)):
        try:
            shutil.copyfile(match[2], target / f"{number}.crt")
        except OSError as error:
            raise InputError(
                f"the registry's CA certificates cannot be read: {error.strerror}",
                where=match[2],
                hint="with the right file: mlops-infra bundle install DIR --root ROOT --ca FILE",
            ) from error
        inside = f'{match[1]}"{NODE_ETC}/registries/{target.name}/{number}.crt"'
        text = text.replace(match[0], inside)
    return text
