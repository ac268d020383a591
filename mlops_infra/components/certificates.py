"""Certificates of servers inside the cluster: the same seed and the same weeks give the same bytes.

Kubernetes calls webhooks over TLS only. A tool in the cluster that issues certificates would be
one more thing to carry and to keep alive; keys that are drawn at random would change with every
preview. So keys are derived from the stack's seed, as passwords are, signatures are deterministic
(RFC 6979), and validity begins on a grid of dates: within one period every run makes the same
certificate, and the first `up` of the next period makes a new one, long before the old one ends
(docs/decisions/0009-webhook-certificates.md).

Each namespace has an authority of its own: no component can pass for one of another namespace.
"""

from __future__ import annotations

import base64
import datetime
import hmac
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from mlops_infra.plan import CERTIFICATES_END, Certificate, authority_of

LEAF_PERIOD = datetime.timedelta(days=182)
"""A server gets a new certificate by the first `up` of each such period."""
LEAF_LIFE = datetime.timedelta(days=825)
"""Counted from the beginning of its period: without any `up` it holds 643 days at least."""
AUTHORITY_PERIOD = datetime.timedelta(days=1820)
"""Ten leaf periods, so that an authority only changes together with all of its leaves."""
AUTHORITY_LIFE = AUTHORITY_PERIOD + LEAF_LIFE
SKEW = datetime.timedelta(days=30)
"""Validity begins that much before the period: clocks in closed networks are often wrong."""
CLUSTER_DOMAIN = "cluster.local"

_EPOCH = datetime.datetime(2020, 1, 1, tzinfo=datetime.UTC)
_ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
"""Of the group of P-256 (SEC 2, secp256r1)."""


class Authorities:
    """Makes every certificate of one stack.

    Args:
        seed: of the stack's passwords.
        stack: its name.
        now: the moment of this run; decides the period.
    """

    def __init__(self, seed: bytes, stack: str, now: datetime.datetime | None = None) -> None:
        self._seed = seed
        self._stack = stack
        self._now = now or datetime.datetime.now(datetime.UTC)

    def part(self, wanted: Certificate) -> str:
        """One file of a certificate as PEM: `ca.crt`, `tls.crt` or `tls.key`."""
        if wanted.part == "ca.crt":
            return self.bundle(wanted.namespace)
        key = self._key("leaf", f"{wanted.namespace}/{wanted.service}", self._period(LEAF_PERIOD))
        if wanted.part == "tls.key":
            return _private_text(key)
        return self._leaf(wanted, key)

    def bundle(self, namespace: str) -> str:
        """The authority's certificates of the last, this and the next period, as PEM.

        Three, because Secrets and webhook configurations do not change at the same moment.
        """
        this = self._period(AUTHORITY_PERIOD)
        return "".join(_text(self._authority(namespace, p)[1]) for p in (this - 1, this, this + 1))

    def filled(self, values: Mapping[str, Any]) -> dict[str, Any]:
        """`values` of a chart with the marks of `plan.certificates` replaced by what is meant."""
        return {key: self._filled(value) for key, value in values.items()}

    def _filled(self, value: Any) -> Any:
        if isinstance(value, Mapping):
            return self.filled(value)
        if isinstance(value, (list, tuple)):
            return [self._filled(each) for each in value]
        if value == CERTIFICATES_END:
            return str(int(self._leaf_end().timestamp()))
        namespace = authority_of(value) if isinstance(value, str) else None
        return base64.b64encode(self.bundle(namespace).encode()).decode() if namespace else value

    def _leaf_end(self) -> datetime.datetime:
        return _EPOCH + self._period(LEAF_PERIOD) * LEAF_PERIOD + LEAF_LIFE

    def _period(self, length: datetime.timedelta) -> int:
        return _period(self._now, length)

    def _key(self, kind: str, name: str, period: int) -> ec.EllipticCurvePrivateKey:
        return _derived(self._seed, f"{self._stack}/certificate/{kind}/{name}/{period}")

    def _authority(
        self, namespace: str, period: int
    ) -> tuple[ec.EllipticCurvePrivateKey, x509.Certificate]:
        key = self._key("authority", namespace, period)
        start = _EPOCH + period * AUTHORITY_PERIOD
        return key, _authority(key, f"mlops-infra {self._stack} {namespace} {period}", start)

    def _leaf(self, wanted: Certificate, key: ec.EllipticCurvePrivateKey) -> str:
        start = _EPOCH + self._period(LEAF_PERIOD) * LEAF_PERIOD
        signer, authority = self._authority(wanted.namespace, self._period(AUTHORITY_PERIOD))
        names = [x509.DNSName(name) for name in server_names(wanted.service, wanted.namespace)]
        usage = x509.KeyUsage(True, False, False, False, False, False, False, False, False)
        both = [ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH]
        issuer = x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key())
        builder = (
            _builder(_name(wanted.service), authority.subject, key, start, LEAF_LIFE)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(usage, critical=True)
            .add_extension(x509.ExtendedKeyUsage(both), critical=False)
            .add_extension(issuer, critical=False)
            .add_extension(x509.SubjectAlternativeName(names), critical=False)
        )
        return _text(builder.sign(signer, hashes.SHA256(), ecdsa_deterministic=True))


def period(now: datetime.datetime) -> int:
    """Number of the period of `now`: within one, every run makes the same certificates."""
    return _period(now, LEAF_PERIOD)


def server_names(service: str, namespace: str) -> tuple[str, ...]:
    """The DNS names that a Service is called by inside the cluster."""
    full = f"{service}.{namespace}.svc"
    return service, f"{service}.{namespace}", full, f"{full}.{CLUSTER_DOMAIN}"


def _period(now: datetime.datetime, length: datetime.timedelta) -> int:
    return (now - _EPOCH) // length


@lru_cache(maxsize=64)
def _derived(seed: bytes, label: str) -> ec.EllipticCurvePrivateKey:
    number = int.from_bytes(hmac.digest(seed, label.encode(), "sha512"))
    # 512 bits reduced to 256: no key is likelier than another by more than 2**-256
    return ec.derive_private_key(number % (_ORDER - 1) + 1, ec.SECP256R1())


def _authority(
    key: ec.EllipticCurvePrivateKey, name: str, start: datetime.datetime
) -> x509.Certificate:
    usage = x509.KeyUsage(True, False, False, False, False, True, True, False, False)
    mark = x509.SubjectKeyIdentifier.from_public_key(key.public_key())
    return (
        _builder(_name(name), _name(name), key, start, AUTHORITY_LIFE)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(usage, critical=True)
        .add_extension(mark, critical=False)
        .sign(key, hashes.SHA256(), ecdsa_deterministic=True)
    )


def _builder(
    subject: x509.Name,
    issuer: x509.Name,
    key: ec.EllipticCurvePrivateKey,
    start: datetime.datetime,
    life: datetime.timedelta,
) -> x509.CertificateBuilder:
    public = key.public_key()
    # a serial number that is random would make every run's certificate another one
    digest = x509.SubjectKeyIdentifier.from_public_key(public).digest
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(public)
        .serial_number(int.from_bytes(digest[:16]) >> 1 | 1)
        .not_valid_before(start - SKEW)
        .not_valid_after(start + life)
    )


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text[:64])])


def _text(certificate: x509.Certificate) -> str:
    return certificate.public_bytes(serialization.Encoding.PEM).decode()


def _private_text(key: ec.EllipticCurvePrivateKey) -> str:
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    ).decode()
