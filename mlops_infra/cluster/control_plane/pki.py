"""Certificates of one cluster, made here and renewed on start.

Three authorities, as Kubernetes' "PKI certificates and requirements" asks for: one for the cluster,
one for etcd (so that no cluster identity opens the database), one for the aggregation layer. Keys
are ECDSA P-256, mode 0600.
"""

from __future__ import annotations

import base64
import datetime
import ipaddress
import secrets
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from mlops_infra import files, places

AUTHORITY_LIFE = datetime.timedelta(days=3650)
LEAF_LIFE = datetime.timedelta(days=365)
RENEW_BEFORE = datetime.timedelta(days=60)
"""A leaf with less than this left is made anew on the next start."""
METRICS_NAMES = ("metrics-server.kube-system.svc", "metrics-server")
"""What the API server calls the add-on by; the second is its Service within the namespace."""
SKEW = datetime.timedelta(minutes=5)
"""Clocks of host and guests differ a little; certificates begin that much earlier."""


@dataclass(frozen=True, slots=True)
class Leaf:
    """One certificate that an authority of the cluster signs."""

    file: str
    """Name without ending; `<file>.crt` and `<file>.key`."""
    common_name: str
    organization: str | None = None
    names: tuple[str, ...] = ()
    """Subject alternative names: DNS names and IP addresses."""
    authority: str = "ca"

    @property
    def serves(self) -> bool:
        """Whether a server presents it."""
        return bool(self.names)


def leaves(*, node: str, address: str, api_service: str, domain: str) -> tuple[Leaf, ...]:
    """Every certificate of a cluster with one node.

    Args:
        node: name of the Node object.
        address: where the host reaches the API server.
        api_service: ClusterIP of the Service `kubernetes`.
        domain: DNS domain of the cluster.
    """
    service = ("kubernetes", "kubernetes.default", "kubernetes.default.svc")
    local = ("localhost", "127.0.0.1", "::1")
    kubernetes = (address, api_service, *local, *service, f"{service[-1]}.{domain}", node)
    return (
        Leaf("apiserver", "kube-apiserver", names=tuple(dict.fromkeys(kubernetes))),
        Leaf("apiserver-kubelet-client", "kube-apiserver-kubelet-client", "system:masters"),
        Leaf("admin", "mlops-infra-admin", "system:masters"),
        Leaf("controller-manager", "system:kube-controller-manager"),
        Leaf("scheduler", "system:kube-scheduler"),
        Leaf("kube-proxy", "system:kube-proxy", "system:node-proxier"),
        Leaf("provisioner", "mlops-infra:local-path-provisioner"),
        Leaf("kwok", "mlops-infra:kwok", "system:masters"),
        Leaf("network-policies", "mlops-infra:network-policies"),
        Leaf("metrics-server", "metrics-server", names=METRICS_NAMES),
        Leaf("kubelet-client", f"system:node:{node}", "system:nodes"),
        Leaf("kubelet", f"system:node:{node}", "system:nodes", (node, address)),
        Leaf("etcd", "etcd", names=local, authority="etcd-ca"),
        Leaf("apiserver-etcd-client", "kube-apiserver-etcd-client", authority="etcd-ca"),
        Leaf("front-proxy-client", "front-proxy-client", authority="front-proxy-ca"),
    )


def ensure(
    folder: Path, wanted: tuple[Leaf, ...], *, now: datetime.datetime | None = None
) -> tuple[str, ...]:
    """Make what is missing, about to expire or issued for other names; returns what was made."""
    now = now or datetime.datetime.now(datetime.UTC)
    places.private(folder)
    made = []
    for authority in sorted({leaf.authority for leaf in wanted}):
        if not (folder / f"{authority}.key").exists():
            _make_authority(folder, authority, now)
            made.append(authority)
    for leaf in wanted:
        if leaf.authority in made or not _good(folder, leaf, now):
            _make_leaf(folder, leaf, now)
            made.append(leaf.file)
    if not (folder / "service-accounts.key").exists():
        key = ec.generate_private_key(ec.SECP256R1())
        _write(folder / "service-accounts.pub", _public(key))
        _write(folder / "service-accounts.key", _private(key))
        made.append("service-accounts")
    return tuple(made)


def encryption_config(file: Path) -> None:
    """Write the API server's EncryptionConfiguration once: Secrets are sealed in etcd."""
    if file.exists():
        return
    key = base64.b64encode(secrets.token_bytes(32)).decode()
    text = (
        "apiVersion: apiserver.config.k8s.io/v1\nkind: EncryptionConfiguration\nresources:\n"
        "- resources: [secrets]\n  providers:\n"
        f"  - secretbox: {{keys: [{{name: key1, secret: {key}}}]}}\n  - identity: {{}}\n"
    )
    _write(file, text.encode())


def _good(folder: Path, leaf: Leaf, now: datetime.datetime) -> bool:
    file = folder / f"{leaf.file}.crt"
    if not file.exists() or not (folder / f"{leaf.file}.key").exists():
        return False
    found = x509.load_pem_x509_certificate(file.read_bytes())
    if found.not_valid_after_utc - now < RENEW_BEFORE or found.subject != _subject(leaf):
        return False
    return not leaf.serves or set(_names(leaf)) == set(
        found.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    )


def _subject(leaf: Leaf) -> x509.Name:
    parts = [x509.NameAttribute(NameOID.COMMON_NAME, leaf.common_name)]
    if leaf.organization:
        parts.insert(0, x509.NameAttribute(NameOID.ORGANIZATION_NAME, leaf.organization))
    return x509.Name(parts)


def _names(leaf: Leaf) -> list[x509.GeneralName]:
    found: list[x509.GeneralName] = []
    for name in leaf.names:
        try:
            found.append(x509.IPAddress(ipaddress.ip_address(name)))
        except ValueError:
            found.append(x509.DNSName(name))
    return found


def _make_authority(folder: Path, name: str, now: datetime.datetime) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, f"mlops-infra-{name}")])
    usage = x509.KeyUsage(True, False, False, False, False, True, True, False, False)
    certificate = (
        _builder(subject, subject, key.public_key(), now, AUTHORITY_LIFE)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(usage, critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .sign(key, hashes.SHA256())
    )
    _write(folder / f"{name}.crt", certificate.public_bytes(serialization.Encoding.PEM))
    _write(folder / f"{name}.key", _private(key))


def _make_leaf(folder: Path, leaf: Leaf, now: datetime.datetime) -> None:
    authority = x509.load_pem_x509_certificate((folder / f"{leaf.authority}.crt").read_bytes())
    signer = serialization.load_pem_private_key(
        (folder / f"{leaf.authority}.key").read_bytes(), None
    )
    assert isinstance(signer, ec.EllipticCurvePrivateKey)  # noqa: S101 - written by this module
    key = ec.generate_private_key(ec.SECP256R1())
    usage = x509.KeyUsage(True, False, False, False, False, False, False, False, False)
    purposes = [ExtendedKeyUsageOID.CLIENT_AUTH]
    if leaf.serves:
        purposes.append(ExtendedKeyUsageOID.SERVER_AUTH)
    builder = (
        _builder(_subject(leaf), authority.subject, key.public_key(), now, LEAF_LIFE)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(usage, critical=True)
        .add_extension(x509.ExtendedKeyUsage(purposes), critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key()), critical=False
        )
    )
    if leaf.serves:
        builder = builder.add_extension(x509.SubjectAlternativeName(_names(leaf)), critical=False)
    certificate = builder.sign(signer, hashes.SHA256())
    # the key last: a pair without its key counts as missing, so a kill in between heals itself
    (folder / f"{leaf.file}.key").unlink(missing_ok=True)
    _write(folder / f"{leaf.file}.crt", certificate.public_bytes(serialization.Encoding.PEM))
    _write(folder / f"{leaf.file}.key", _private(key))


def _builder(
    subject: x509.Name,
    issuer: x509.Name,
    key: ec.EllipticCurvePublicKey,
    now: datetime.datetime,
    life: datetime.timedelta,
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - SKEW)
        .not_valid_after(now + life)
    )


def _private(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )


def _public(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )


def _write(file: Path, content: bytes) -> None:
    files.write(file, content, mode=0o600)
