"""Who may read: names and passwords of a private file, asked for by HTTP's basic scheme."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import stat
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from mlops_infra.errors import InputError, MissingError

_PUBLIC = stat.S_IRWXG | stat.S_IRWXO


@dataclass(frozen=True)
class Accounts:
    """Digests of passwords by name; the passwords themselves are not kept."""

    digests: Mapping[str, bytes] = field(repr=False)

    def admit(self, header: str | None) -> bool:
        """Whether an `Authorization` header names one of them with its password."""
        scheme, _, encoded = (header or "").partition(" ")
        if scheme.lower() != "basic":
            return False
        try:
            name, colon, password = base64.b64decode(encoded, validate=True).partition(b":")
            known = self.digests.get(name.decode())
        except (binascii.Error, ValueError):
            return False
        # the same work for a name that nobody has
        same = hmac.compare_digest(hashlib.sha256(password).digest(), known or bytes(32))
        return bool(colon) and known is not None and same


def read_accounts(file: Path) -> Accounts:
    """Read a file of lines `name:password`; empty lines and those with `#` first are passed over.

    Raises:
        MissingError: it cannot be read.
        InputError: others may read it too, or a line is something else.
    """
    try:
        mode, text = file.stat().st_mode, file.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        told = error.strerror if isinstance(error, OSError) else "it is not a text"
        raise MissingError(f"the accounts cannot be read: {told}", where=str(file)) from error
    if mode & _PUBLIC:
        raise InputError(
            "the password file is readable by others", where=str(file), hint=f"chmod 600 {file}"
        )
    found = {}
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip() or line.startswith("#"):
            continue
        name, colon, password = line.partition(":")
        if not (name and colon and password):
            raise InputError("a line is not name:password", where=f"{file}:{number}")
        found[name] = hashlib.sha256(password.encode()).digest()
    if not found:
        raise InputError("the file of accounts is empty", where=str(file), hint="name:password")
    return Accounts(found)
