from __future__ import annotations

import datetime
import stat
from pathlib import Path

import pytest
from cryptography import x509

from mlops_infra.cluster.control_plane import kubeconfig, pki

NOW = datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC)


def leaves(address: str = "10.231.0.2") -> tuple[pki.Leaf, ...]:
    return pki.leaves(node="one", address=address, api_service="10.96.0.1", domain="cluster.local")


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("pki")
    pki.ensure(folder, leaves(), now=NOW)
    return folder


def certificate(folder: Path, name: str) -> x509.Certificate:
    return x509.load_pem_x509_certificate((folder / f"{name}.crt").read_bytes())


def test_every_file_is_readable_by_its_owner_alone(made: Path) -> None:
    assert {stat.S_IMODE(file.stat().st_mode) for file in made.iterdir()} == {0o600}
    assert stat.S_IMODE(made.stat().st_mode) == 0o700


def test_the_api_server_answers_to_all_its_names(made: Path) -> None:
    names = certificate(made, "apiserver").extensions.get_extension_for_class(
        x509.SubjectAlternativeName
    )
    assert {"localhost", "kubernetes.default.svc", "kubernetes.default.svc.cluster.local"} <= set(
        names.value.get_values_for_type(x509.DNSName)
    )
    addresses = {str(found) for found in names.value.get_values_for_type(x509.IPAddress)}
    assert addresses == {"10.231.0.2", "10.96.0.1", "127.0.0.1", "::1"}


def test_no_identity_of_the_cluster_opens_the_database(made: Path) -> None:
    database = certificate(made, "etcd-ca").subject
    for leaf in leaves():
        issuer = certificate(made, leaf.file).issuer
        assert (issuer == database) == (leaf.authority == "etcd-ca")


def test_nothing_is_made_twice_and_what_expires_soon_is_renewed(tmp_path: Path) -> None:
    assert "apiserver" in pki.ensure(tmp_path, leaves(), now=NOW)
    assert pki.ensure(tmp_path, leaves(), now=NOW) == ()
    later = NOW + pki.LEAF_LIFE - pki.RENEW_BEFORE + datetime.timedelta(days=1)
    renewed = pki.ensure(tmp_path, leaves(), now=later)
    assert set(renewed) == {leaf.file for leaf in leaves()}
    assert certificate(tmp_path, "apiserver").not_valid_after_utc > later + pki.RENEW_BEFORE


def test_another_address_renews_what_names_it(tmp_path: Path) -> None:
    pki.ensure(tmp_path, leaves(), now=NOW)
    assert set(pki.ensure(tmp_path, leaves("10.231.0.6"), now=NOW)) == {"apiserver", "kubelet"}


def test_a_kill_between_certificate_and_key_heals(tmp_path: Path) -> None:
    pki.ensure(tmp_path, leaves(), now=NOW)
    (tmp_path / "admin.key").unlink()
    assert pki.ensure(tmp_path, leaves(), now=NOW) == ("admin",)


def test_the_key_of_secrets_is_made_once(tmp_path: Path) -> None:
    file = tmp_path / "encryption.yaml"
    pki.encryption_config(file)
    first = file.read_bytes()
    pki.encryption_config(file)
    assert file.read_bytes() == first
    assert b"secretbox" in first
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_a_kubeconfig_is_private_and_complete(made: Path, tmp_path: Path) -> None:
    file = tmp_path / "kubeconfig"
    kubeconfig.write(
        file, cluster="one", server="https://10.231.0.2:6443", pki=made, client="admin"
    )
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert "client-key-data" in file.read_text()
