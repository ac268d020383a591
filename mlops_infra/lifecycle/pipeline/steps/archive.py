"""A model as SageMaker hands it on: packed into `model.tar.gz`."""

from __future__ import annotations

import io
import tarfile
import zlib

from mlops_infra.errors import InputError

GZIP = b"\x1f\x8b"
MEMBER = "data"
"""The one file that a step leaves in the folder of the model."""
LARGEST = 2 << 30
"""Bytes of a model; it is held in memory."""


def unpacked(body: bytes, where: str) -> bytes:
    """The model's own bytes; `body` itself where it is not packed.

    Raises:
        InputError: it is a broken archive, or holds something else.
    """
    if not body.startswith(GZIP):
        return body
    try:
        with tarfile.open(fileobj=io.BytesIO(body), mode="r:gz") as archive:
            for member in archive:
                if member.isfile() and member.name.removeprefix("./") == MEMBER:
                    return _content(archive, member, where)
    except (tarfile.TarError, EOFError, OSError, zlib.error) as error:
        raise InputError(f"not a model archive: {error}", where=where) from error
    raise InputError(f"the archive has no file '{MEMBER}'", where=where)


def _content(archive: tarfile.TarFile, member: tarfile.TarInfo, where: str) -> bytes:
    if member.size > LARGEST:
        raise InputError(f"the model is larger than {LARGEST >> 30} GiB", where=where)
    file = archive.extractfile(member)
    assert file is not None  # noqa: S101 - only a regular file comes here
    return file.read()
