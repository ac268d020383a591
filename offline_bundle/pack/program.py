"""This program as a wheel, made from what runs now: a checkout and an installation give the same.

No build tool is needed, and the files are exactly those that the key of the `runtime` image is
made of: the closed side looks for the very image that was built here.
"""

from __future__ import annotations

import base64
import hashlib
import io
import zipfile
from importlib import metadata
from pathlib import Path

from mlops_infra import __version__, places
from mlops_infra.errors import MissingError
from mlops_infra.images import program

NAME = "mlops-infra"
EXTRA_DATA = ("requirements.lock",)
"""Beside the program's own data: what the next bundle is locked from."""

_DATE = (1980, 1, 1, 0, 0, 0)
_TAG = "py3-none-any"
_ENTRY_POINTS = "[console_scripts]\nmlops-infra = mlops_infra.cli.main:main\n"


def filename() -> str:
    """Name of the wheel's file."""
    return f"mlops_infra-{__version__}-{_TAG}.whl"


def program_wheel() -> bytes:
    """The wheel; the same program gives the same bytes.

    Raises:
        MissingError: the program runs from a folder that was never installed.
    """
    info = f"mlops_infra-{__version__}.dist-info"
    files = dict(program.files())
    for name in EXTRA_DATA:
        extra = places.project() / name
        if extra.is_file():
            files[f"mlops_infra/_project/{name}"] = extra.read_bytes()
    files[f"{info}/METADATA"] = _metadata().encode()
    files[f"{info}/WHEEL"] = (
        f"Wheel-Version: 1.0\nGenerator: mlops-infra {__version__}\n"
        f"Root-Is-Purelib: true\nTag: {_TAG}\n"
    ).encode()
    licence = places.project() / "LICENSE"
    if licence.is_file():
        files[f"{info}/licenses/LICENSE"] = licence.read_bytes()
    files[f"{info}/entry_points.txt"] = _ENTRY_POINTS.encode()
    files[f"{info}/RECORD"] = _record(files, f"{info}/RECORD")
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w") as archive:
        for name in sorted(files):
            entry = zipfile.ZipInfo(name, _DATE)
            entry.external_attr = 0o100644 << 16
            entry.create_system = 3
            # the same bytes with every zlib: what is small in a bundle need not be smaller
            archive.writestr(entry, files[name], compress_type=zipfile.ZIP_STORED)
    return held.getvalue()


def _metadata() -> str:
    try:
        text = metadata.distribution(NAME).read_text("METADATA")
    except metadata.PackageNotFoundError:
        text = None
    if text is None:
        raise MissingError(
            "the program is not installed, so its requirements are unknown",
            where=str(Path(__file__).parents[2]),
            hint="make venv, or pip install mlops-infra; then run the command again",
        )
    return text


def _record(files: dict[str, bytes], own: str) -> bytes:
    """RECORD of the wheel specification: name, hash, size; its own line without the last two."""
    lines = []
    for name in sorted(files):
        digest = base64.urlsafe_b64encode(hashlib.sha256(files[name]).digest()).rstrip(b"=")
        lines.append(f"{name},sha256={digest.decode()},{len(files[name])}")
    return "\n".join([*lines, f"{own},,", ""]).encode()
