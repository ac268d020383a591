"""A site's authority counts beside the system's, for this process and those that it starts."""

from __future__ import annotations

import os
import ssl
from pathlib import Path

import pytest

from mlops_infra.errors import InputError
from mlops_infra.transport import trust


def authority(name: str) -> bytes:
    import datetime

    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    now = datetime.datetime.now(datetime.UTC)
    return (
        x509.CertificateBuilder(subject, subject, key.public_key(), x509.random_serial_number())
        .not_valid_before(now)
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
        .public_bytes(serialization.Encoding.PEM)
    )


def names(context: ssl.SSLContext) -> set[str]:
    return {
        value
        for each in context.get_ca_certs()
        for part in each["subject"]
        for key, value in part
        if key == "commonName"
    }


def test_both_count_until_the_command_ends(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "system.pem").write_bytes(authority("system"))
    (tmp_path / "site.pem").write_bytes(authority("site"))
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "system.pem"))
    with trust.trusting(tmp_path / "site.pem"):
        assert {"system", "site"} <= names(trust.context())
        both = Path(os.environ["SSL_CERT_FILE"])
        assert both.read_bytes().count(b"BEGIN CERTIFICATE") == 2
    assert not both.exists()
    assert "site" not in names(trust.context())


def test_a_file_that_is_no_certificate_is_refused_before_anything_is_asked(tmp_path: Path) -> None:
    (tmp_path / "site.pem").write_text("nothing")
    with pytest.raises(InputError, match="certificate"), trust.trusting(tmp_path / "site.pem"):
        pytest.fail("the command has begun")
