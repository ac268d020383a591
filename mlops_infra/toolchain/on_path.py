"""Looks for a tool outside of our cache: taken only at exactly the pinned version."""

from __future__ import annotations

import os
import re
import shutil
import struct
import subprocess
from pathlib import Path

from mlops_infra.toolchain import plugins
from mlops_infra.toolchain.manifest import Check, Pin
from mlops_infra.toolchain.store import Origin, PassedOver, Tool, root

_TIMEOUT_SECONDS = 20
"""A program that has not told its version by then will not."""
_ELF_64 = b"\x7fELF\x02\x01"
_INTERPRETER = 3
"""Type of the ELF segment that names a dynamic loader (PT_INTERP)."""


def find(pin: Pin) -> Tool | PassedOver:
    """The tool on PATH, a plugin in Pulumi's home; or why what is there does not serve."""
    if pin.plugin:
        return plugins.installed(pin)
    if len(pin.programs) != 1 or pin.files or pin.check is None:
        return PassedOver("path", "not used: it cannot report its version", notable=False)
    found = shutil.which(pin.name, path=_foreign_path())
    if found is None:
        return PassedOver("path", "not there", notable=False)
    path = Path(found)
    if (said := version_problem(path, pin.check)) is not None:
        return PassedOver("path", f"{path} {said}")
    if is_dynamic(path):
        # nodes and images run these binaries in file systems without this machine's libraries
        return PassedOver("path", f"{path} needs this machine's shared libraries")
    return Tool(pin.name, pin.version, path, "path", Origin("path", str(path)))


def _foreign_path() -> str:
    """PATH without our own cache: what is there is the cache's to answer for."""
    own = str(root())
    folders = os.environ.get("PATH", os.defpath).split(os.pathsep)
    return os.pathsep.join(f for f in folders if f and not os.path.realpath(f).startswith(own))


def version_problem(program: Path, check: Check) -> str | None:
    """What is wrong with the version that `program` tells; None where it is the pinned one."""
    environment = {k: v for k, v in os.environ.items() if not k.startswith("CNI_")}
    environment["PULUMI_SKIP_UPDATE_CHECK"] = "true"
    try:
        answer = subprocess.run(
            [str(program), *check.arguments],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=_TIMEOUT_SECONDS,
            check=False,
            env=environment,
        ).stdout.decode(errors="replace")
    except subprocess.TimeoutExpired:
        return f"does not report its version within {_TIMEOUT_SECONDS} s"
    except OSError as error:
        return f"does not run: {error.strerror or error}"
    # `v1.34.4+k3s1` and `v1.34.40` are other programs than `v1.34.4`
    if re.search(rf"(?<![\w.]){re.escape(check.text)}(?![\w.+-])", answer):
        return None
    told = answer.strip().partition("\n")[0][:80] or "nothing"
    return f"reports '{told}', pinned is '{check.text}'"


def is_dynamic(program: Path) -> bool:
    """Whether an ELF program needs a dynamic loader; False for anything that is no 64-bit ELF."""
    with program.open("rb") as file:
        header = file.read(64)
        if len(header) < 64 or not header.startswith(_ELF_64):
            return False
        offset = struct.unpack_from("<Q", header, 32)[0]
        size, count = struct.unpack_from("<HH", header, 54)
        file.seek(offset)
        table = file.read(size * count)
    types = (
        struct.unpack_from("<I", table, i * size)[0]
        for i in range(count)
        if i * size + 4 <= len(table)
    )
    return _INTERPRETER in types
