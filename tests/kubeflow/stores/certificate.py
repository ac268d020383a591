"""A site's own certificate for the edge, as its administrator would bring it."""

from __future__ import annotations

import datetime
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID


@dataclass(frozen=True)
class Site:
    """Files of a certificate that signs itself."""

    certificate: Path
    key: Path

    @property
    def reference(self) -> dict[str, dict[str, str]]:
        """An entry of `secrets` in a stack's file."""
        return {"certificate": {"file": str(self.certificate)}, "key": {"file": str(self.key)}}


def make(folder: Path, name: str) -> Site:
    """A certificate for the DNS name `name`, valid for a day."""
    key = ec.generate_private_key(ec.SECP256R1())
    issuer = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "a site's certificate")])
    now = datetime.datetime.now(datetime.UTC)
    signed = (
        x509.CertificateBuilder(issuer, issuer, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(hours=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    site = Site(folder / "edge.crt", folder / "edge.key")
    site.certificate.write_bytes(signed.public_bytes(serialization.Encoding.PEM))
    site.key.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return site
