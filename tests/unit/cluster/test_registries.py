"""The node pulls from where the installation of a bundle says, seen from the node."""

from __future__ import annotations

from pathlib import Path

import pytest

from mlops_infra.cluster.node import registries
from mlops_infra.errors import InputError
from offline_bundle.install import redirects

HOSTS = ("docker.io", "registry.example:5000")


def written(tmp_path: Path, to: redirects.Mirror, monkeypatch: pytest.MonkeyPatch) -> Path:
    redirects.write(tmp_path / "installed", HOSTS, to)
    monkeypatch.setenv(registries.VARIABLE, str(tmp_path / "installed" / redirects.CERTS))
    registries.write(tmp_path / "node", "10.231.0.1")
    return tmp_path / "node"


def test_loopback_of_this_machine_is_another_address_for_the_node(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    node = written(tmp_path, redirects.mirror("127.0.0.1:5080", plain_http=True), monkeypatch)
    assert sorted(each.name for each in node.iterdir()) == sorted(HOSTS)
    text = (node / "docker.io" / "hosts.toml").read_text()
    assert text.count("http://10.231.0.1:5080/v2/docker.io") == 2
    assert "127.0.0.1" not in text


def test_authorities_go_where_the_node_sees_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ca = tmp_path / "site.pem"
    ca.write_text("a certificate")
    node = written(tmp_path, redirects.mirror("registry.site/mlops", ca=ca), monkeypatch)
    text = (node / "docker.io" / "hosts.toml").read_text()
    assert "https://registry.site/v2/mlops/docker.io" in text
    assert 'ca = "/etc/mlops-infra/registries/docker.io/0.crt"' in text
    assert (node / "docker.io" / "0.crt").read_text() == "a certificate"
    ca.unlink()
    with pytest.raises(InputError):
        registries.write(tmp_path / "node", "10.231.0.1")


def test_without_an_installation_there_is_nothing_to_pull_from(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    node = written(tmp_path, redirects.mirror("registry.site"), monkeypatch)
    monkeypatch.delenv(registries.VARIABLE)
    registries.write(node, "10.231.0.1")
    assert list(node.iterdir()) == []
    monkeypatch.setenv(registries.VARIABLE, str(tmp_path / "nowhere"))
    with pytest.raises(InputError):
        registries.write(node, "10.231.0.1")
