"""Passwords that nobody chooses: the same seed, stack and id always give the same one.

A random provider would need one more plugin and would lose every password with the state; a seed in
a private file survives a lost state and a second backend, and two programs with it agree
(docs/decisions/0008-generated-passwords.md).
"""

from __future__ import annotations

import hmac
import os
import string
from pathlib import Path

from mlops_infra import contract
from mlops_infra.errors import MissingError

LENGTH = 32
"""Characters; 62 different ones each, so 190 bits, more than a 256-bit seed needs to be safe."""

_ALPHABET = string.ascii_letters + string.digits
"""Neither URLs, nor YAML, nor shells, nor S3 keys need quoting for these."""


def seed() -> bytes:
    """The stack's seed, from the file that `$MLOPS_INFRA_SEED_FILE` names.

    Raises:
        MissingError: the variable is unset or the file cannot be read.
    """
    name = os.environ.get(contract.SEED_FILE_VARIABLE)
    hint = 'eval "$(mlops-infra env -s STACK)" before plain pulumi'
    if not name:
        raise MissingError(f"{contract.SEED_FILE_VARIABLE} is not set", hint=hint)
    try:
        found = Path(name).read_bytes().strip()
    except OSError as error:
        raise MissingError(
            f"the seed of the passwords cannot be read: {error.strerror}", where=name, hint=hint
        ) from error
    if len(found) < LENGTH:
        raise MissingError(
            "the seed of the passwords is truncated", where=name, hint="restore it from a backup"
        )
    return found


def generated(seed: bytes, stack: str, identity: str) -> str:
    """The password called `identity` of `stack`: HMAC-SHA512 of both in letters and digits.

    512 bits are reduced to 190, so no character is likelier than another by more than 2**-300.
    """
    number = int.from_bytes(hmac.digest(seed, f"{stack}/{identity}".encode(), "sha512"))
    characters = []
    for _ in range(LENGTH):
        number, index = divmod(number, len(_ALPHABET))
        characters.append(_ALPHABET[index])
    return "".join(characters)
