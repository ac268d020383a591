"""Takes binaries from an offline bundle: a folder with `binaries/` and its sha256 list.

::

    binaries/SHA256SUMS                          as `sha256sum` writes it
    binaries/<program>-<version>-<os>-<arch>     one file for every program of a tool
"""

from __future__ import annotations

import hashlib
import os
import re
from pathlib import Path

from mlops_infra import contract
from mlops_infra.errors import InputError, OperationFailed
from mlops_infra.toolchain.manifest import Pin, target
from mlops_infra.toolchain.store import Origin, PassedOver

SUMS = "SHA256SUMS"

_LINE = re.compile(r"([0-9a-f]{64}) [ *](?:\./)?([^/]+)")
_BLOCK = 1 << 20


def file_name(program: str, version: str) -> str:
    """Name of a program's file in a bundle for this machine."""
    return f"{program}-{version}-{target().replace('/', '-')}"


def in_use() -> Path | None:
    """The folder that `$MLOPS_INFRA_BUNDLE` names; None where it names none."""
    named = os.environ.get(contract.BUNDLE_VARIABLE)
    return Path(named) if named else None


def configured(folder: Path | None = None) -> Path | None:
    """The bundle's `binaries` folder: of `folder`, else of `$MLOPS_INFRA_BUNDLE`.

    Raises:
        InputError: a bundle is named and it has no binaries.
    """
    named = folder or in_use()
    if named is None:
        return None
    binaries = named / "binaries"
    if not (binaries / SUMS).is_file():
        raise InputError(
            "the bundle has no binaries",
            where=str(binaries / SUMS),
            hint=f"point {contract.BUNDLE_VARIABLE} at the folder of an unpacked bundle,"
            " or unset it",
        )
    return binaries


def carries(pin: Pin) -> bool:
    """Whether the bundle in use lists every program of `pin`; raises as `configured`."""
    binaries = configured()
    if binaries is None:
        return False
    sums = _sums(binaries / SUMS)
    return all(file_name(program, pin.version) in sums for program in pin.contents)


def take(pin: Pin, binaries: Path | None, into: Path) -> Origin | PassedOver:
    """Copy the files of `pin` into the folder `into`, each checked against the bundle's list.

    Raises:
        OperationFailed: a file is not what the list says: the bundle was damaged or changed.
    """
    if binaries is None:
        return PassedOver(
            "bundle", f"none given ({contract.BUNDLE_VARIABLE} is not set)", notable=False
        )
    sums = _sums(binaries / SUMS)
    names = {program: file_name(program, pin.version) for program in pin.contents}
    missing = [n for n in names.values() if n not in sums or not (binaries / n).is_file()]
    if missing:
        return PassedOver("bundle", f"{binaries} has no {', '.join(missing)}")
    for program, name in names.items():
        if _copy(binaries / name, into / program) != sums[name]:
            raise OperationFailed(
                f"{name} in the bundle does not match its list",
                where=str(binaries / name),
                hint="the bundle was damaged or changed: carry it again",
            )
    return Origin("bundle", str(binaries))


def _sums(file: Path) -> dict[str, str]:
    matches = map(_LINE.fullmatch, file.read_text("utf-8").splitlines())
    return {match[2]: match[1] for match in matches if match}


def _copy(source: Path, copy: Path) -> str:
    """Hash what is written, not what is read a second time: the two may differ."""
    digest = hashlib.sha256()
    with source.open("rb") as reader, copy.open("wb") as writer:
        while block := reader.read(_BLOCK):
            digest.update(block)
            writer.write(block)
    return digest.hexdigest()
