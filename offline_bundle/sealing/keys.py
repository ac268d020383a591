"""Keys of bundles: ECDSA on P-256, as PEM files.

A passphrase comes from a file or from the environment, never from a command line.
"""

from __future__ import annotations

import os
from pathlib import Path

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from mlops_infra import contract
from mlops_infra.errors import InputError, MissingError


class KeyFileError(InputError):
    """A file is not the key that is needed."""


def passphrase() -> bytes | None:
    """What the environment says, without a line's end; None where it says nothing.

    Raises:
        InputError: the file that it names cannot be read.
    """
    if file := os.environ.get(contract.BUNDLE_PASSPHRASE_FILE_VARIABLE):
        try:
            return Path(file).read_bytes().rstrip(b"\r\n")
        except OSError as error:
            raise InputError(
                f"the passphrase cannot be read: {error.strerror}", where=file
            ) from error
    text = os.environ.get(contract.BUNDLE_PASSPHRASE_VARIABLE)
    return text.encode() if text else None


def generate(private: Path, public: Path, *, phrase: bytes | None) -> None:
    """Write a new pair; the private half is readable by its owner alone. Nothing is overwritten.

    Raises:
        InputError: one of the files is there already.
    """
    for file in (private, public):
        if file.exists():
            raise InputError("the key already exists", where=str(file), hint="choose another name")
    key = ec.generate_private_key(ec.SECP256R1())
    protection: serialization.KeySerializationEncryption = (
        serialization.BestAvailableEncryption(phrase) if phrase else serialization.NoEncryption()
    )
    pem = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, protection
    )
    handle = os.open(private, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "wb") as file_object:
        file_object.write(pem)
    public.write_bytes(public_pem(key.public_key()))


def public_pem(key: ec.EllipticCurvePublicKey) -> bytes:
    """The form that `cosign`, `openssl` and `read_public` take."""
    form = serialization.PublicFormat.SubjectPublicKeyInfo
    return key.public_bytes(serialization.Encoding.PEM, form)


def read_private(file: Path) -> ec.EllipticCurvePrivateKey:
    """The private key in `file` (PKCS 8 or SEC 1, with or without a passphrase).

    Raises:
        MissingError: the file does not exist, or its passphrase is not given.
        KeyFileError: it holds something else, or the passphrase is another one.
    """
    raw, phrase = _bytes(file), passphrase()
    if b"ENCRYPTED" in raw and phrase is None:
        raise MissingError(
            "the key needs a passphrase",
            where=str(file),
            hint=f"set {contract.BUNDLE_PASSPHRASE_FILE_VARIABLE} to a file that holds it,"
            f" or {contract.BUNDLE_PASSPHRASE_VARIABLE}",
        )
    try:
        key = serialization.load_pem_private_key(raw, phrase if b"ENCRYPTED" in raw else None)
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise KeyFileError(
            "not a private key in PEM, or the passphrase is wrong",
            where=str(file),
            hint="cosign's encrypted format is not supported: use a key of `bundle key` or openssl",
        ) from error
    if not isinstance(key, ec.EllipticCurvePrivateKey) or not _is_p256(key.curve):
        raise KeyFileError("not an ECDSA P-256 key", where=str(file))
    return key


def read_public(file: Path) -> ec.EllipticCurvePublicKey:
    """The public key in `file`.

    Raises:
        MissingError: the file does not exist.
        KeyFileError: it holds something else.
    """
    try:
        key = serialization.load_pem_public_key(_bytes(file))
    except (ValueError, UnsupportedAlgorithm) as error:
        raise KeyFileError("not a public key in PEM", where=str(file)) from error
    if not isinstance(key, ec.EllipticCurvePublicKey) or not _is_p256(key.curve):
        raise KeyFileError("not an ECDSA P-256 key", where=str(file))
    return key


def _is_p256(curve: ec.EllipticCurve) -> bool:
    return curve.name == ec.SECP256R1.name


def _bytes(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        raise MissingError(f"the key cannot be read: {error.strerror}", where=str(file)) from error
