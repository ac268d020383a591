"""Signatures over the bytes of one file, in the two forms that `cosign verify-blob` reads.

`<file>.sig` is the base64 of an ASN.1 ECDSA signature over sha256; `<file>.sigstore.json` is the
same signature in a Sigstore bundle 0.3 (sigstore/protobuf-specs), without certificate and log.
Signing is deterministic (RFC 6979), so that two builds of one lock are equal, signature included.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

SIGSTORE_TYPE = "application/vnd.dev.sigstore.bundle.v0.3+json"


def sign(content: bytes, key: ec.EllipticCurvePrivateKey) -> bytes:
    """The text of a `.sig` file."""
    made = key.sign(content, ec.ECDSA(hashes.SHA256(), deterministic_signing=True))
    return base64.b64encode(made) + b"\n"


def is_good(content: bytes, signature: bytes, key: ec.EllipticCurvePublicKey) -> bool:
    """Whether `signature` (the text of a `.sig` file) was made over `content` with `key`."""
    try:
        key.verify(
            base64.b64decode(signature.strip(), validate=True),
            content,
            ec.ECDSA(hashes.SHA256()),
        )
    except (InvalidSignature, binascii.Error):
        return False
    return True


def is_whole(signature: bytes) -> bool:
    """Whether this is a signature at all; a file that was cut off is not."""
    try:
        decode_dss_signature(base64.b64decode(signature.strip(), validate=True))
    except (ValueError, binascii.Error):
        return False
    return True


def sigstore(content: bytes, signature: bytes, key: ec.EllipticCurvePublicKey) -> bytes:
    """The same signature as a Sigstore bundle."""
    der = key.public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    raw = {
        "mediaType": SIGSTORE_TYPE,
        "verificationMaterial": {
            "publicKey": {"hint": base64.b64encode(hashlib.sha256(der).digest()).decode()}
        },
        "messageSignature": {
            "messageDigest": {
                "algorithm": "SHA2_256",
                "digest": base64.b64encode(hashlib.sha256(content).digest()).decode(),
            },
            "signature": signature.decode().strip(),
        },
    }
    return (json.dumps(raw, indent=1) + "\n").encode()
