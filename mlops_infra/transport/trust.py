"""Whom TLS trusts: the system's authorities, and a site's own beside them.

The site's authorities count for a whole command and for all that it starts: uv, Go, apt and Helm
read `SSL_CERT_FILE`, as OpenSSL does, so that is where they are named. Since that file takes the
place of the system's, both are written into one.
"""

from __future__ import annotations

import functools
import os
import ssl
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from mlops_infra.errors import InputError

VARIABLE = "SSL_CERT_FILE"
_SYSTEM = (
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/ca-bundle.pem",
    "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",
    "/etc/ssl/cert.pem",
)
"""Debian, Fedora, openSUSE, RHEL, Alpine; where Go looks as well (crypto/x509/root_linux.go)."""


def context(
    ca: str | None = None, certificate: str | None = None, key: str | None = None
) -> ssl.SSLContext:
    """What connections are made with.

    Args:
        ca: PEM file with authorities that count beside the system's.
        certificate: PEM file that this side shows, with `key`, or with its key inside.
        key: PEM file.

    Raises:
        InputError: a file cannot be used.
    """
    return _made(os.environ.get(VARIABLE), os.environ.get("SSL_CERT_DIR"), ca, certificate, key)


@functools.lru_cache(maxsize=64)
def _made(
    _file: str | None, _folder: str | None, ca: str | None, certificate: str | None, key: str | None
) -> ssl.SSLContext:
    """Kept: reading the system's authorities takes 20 ms, and a run has hundreds of downloads."""
    found = ssl.create_default_context()
    try:
        if ca:
            found.load_verify_locations(ca)
        if certificate:
            found.load_cert_chain(certificate, key)
    except (OSError, ssl.SSLError) as error:
        where = ", ".join(filter(None, (ca, certificate, key)))
        raise InputError(f"a certificate cannot be used: {error}", where=where) from error
    return found


@contextmanager
def trusting(ca: Path | None) -> Iterator[None]:
    """Until the block ends, this process and those that it starts trust `ca` (PEM) as well.

    Raises:
        InputError: the file cannot be used.
    """
    if ca is None:
        yield
        return
    context(str(ca))
    before = os.environ.get(VARIABLE)
    handle, name = tempfile.mkstemp(prefix="mlops-infra-ca-", suffix=".pem")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(_system() + b"\n" + ca.read_bytes())
        os.environ[VARIABLE] = name
        yield
    finally:
        if before is None:
            os.environ.pop(VARIABLE, None)
        else:
            os.environ[VARIABLE] = before
        Path(name).unlink()


def _system() -> bytes:
    """The authorities that count without the site's; empty where the system has no such file."""
    named = os.environ.get(VARIABLE)
    files = (named,) if named else _SYSTEM
    return next((Path(each).read_bytes() for each in files if Path(each).is_file()), b"")
