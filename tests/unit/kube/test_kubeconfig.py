"""Kubeconfigs mean what they mean to kubectl: lists, relative paths, proxies, plugins, tokens."""

from __future__ import annotations

import base64
import os
import socket
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
import yaml

from mlops_infra.errors import InputError
from mlops_infra.kube import Cluster, UnreachableError, kubeconfig
from mlops_infra.kube.opening import open_client


class Server(ThreadingHTTPServer):
    """An API server that keeps the Authorization of each request."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.tokens: list[str | None] = []
        self.url = f"http://127.0.0.1:{self.server_port}"


class Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        assert isinstance(self.server, Server)
        self.server.tokens.append(self.headers.get("Authorization"))
        body = b'{"gitVersion": "v1.34.4"}'
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_words: object) -> None:
        """Nothing on stderr."""


@pytest.fixture
def server() -> Iterator[Server]:
    with Server() as found:
        thread = threading.Thread(target=found.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield found
        found.shutdown()
        thread.join()


def written(file: Path, *, server: str = "https://a.example", **parts: Any) -> Path:
    """A kubeconfig with the context `main`; `cluster` and `user` are further keys of the two."""
    about = {
        "clusters": [{"name": "c", "cluster": {"server": server, **parts.get("cluster", {})}}],
        "users": [{"name": "u", "user": parts.get("user", {})}],
        "contexts": [{"name": "main", "context": {"cluster": "c", "user": "u"}}],
        "current-context": "main",
    }
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(yaml.safe_dump(about), encoding="utf-8")
    return file


def test_of_a_list_of_files_the_first_says_what_a_name_means(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = tmp_path / "one" / "config", tmp_path / "two" / "config"
    written(first, server="https://first.example", user={"tokenFile": "token"})
    written(second, server="https://second.example", cluster={"certificate-authority": "ca.crt"})
    more = yaml.safe_load(second.read_text())
    more["clusters"].append({"name": "d", "cluster": more["clusters"][0]["cluster"]})
    more["contexts"].append({"name": "other", "context": {"cluster": "d", "user": "u"}})
    more["current-context"] = "other"
    second.write_text(yaml.safe_dump(more), encoding="utf-8")
    (tmp_path / "empty").write_text("")
    listed = ["", str(tmp_path / "absent"), str(tmp_path / "empty"), str(first), str(second)]
    monkeypatch.setenv("KUBECONFIG", os.pathsep.join(listed))
    assert kubeconfig.read(None, None).cluster["server"] == "https://first.example"
    other = kubeconfig.read(None, "other")
    assert other.cluster["certificate-authority"] == str(tmp_path / "two" / "ca.crt")
    # the user of the second file is hidden by the first one's, with the first one's folder
    assert other.user["tokenFile"] == str(tmp_path / "one" / "token")


def test_a_file_without_users_is_one_without_a_login(tmp_path: Path, server: Server) -> None:
    file = written(tmp_path / "config", server=server.url)
    about = yaml.safe_load(file.read_text())
    del about["users"], about["contexts"][0]["context"]["user"]
    file.write_text(yaml.safe_dump(about))
    assert Cluster.open(file).version() == "v1.34.4"
    assert server.tokens == [None]


def test_a_token_file_is_read_again_and_its_line_break_stays_behind(
    tmp_path: Path, server: Server
) -> None:
    token = tmp_path / "token"
    token.write_text("one\n")
    user = {"tokenFile": "token", "token": "never"}
    cluster = Cluster.open(written(tmp_path / "config", server=server.url, user=user))
    cluster.version()
    token.write_text("two\n")
    cluster.version()
    assert server.tokens == ["Bearer one", "Bearer two"]


PLUGIN = """#!/bin/sh
echo run >> "$COUNT"
echo '{"apiVersion": "client.authentication.k8s.io/v1", "status": {"token": "made"%s}}'
"""


@pytest.mark.parametrize(
    ("more", "runs"), [("", 1), (', "expirationTimestamp": "2020-01-01T00:00:00Z"', 3)]
)
def test_a_plugin_beside_the_file_gives_the_token_until_it_ends(
    tmp_path: Path, server: Server, more: str, runs: int
) -> None:
    plugin = tmp_path / "bin" / "login"
    plugin.parent.mkdir()
    plugin.write_text(PLUGIN % more)
    plugin.chmod(0o755)
    count = tmp_path / "count"
    about = {
        "apiVersion": "client.authentication.k8s.io/v1",
        "command": "bin/login",
        "env": [{"name": "COUNT", "value": str(count)}],
        "interactiveMode": "Never",
    }
    file = written(tmp_path / "config", server=server.url, user={"exec": about})
    cluster = Cluster.open(file)
    cluster.version()
    cluster.version()
    assert server.tokens == ["Bearer made"] * 2
    assert len(count.read_text().split()) >= runs


@pytest.mark.parametrize(
    ("script", "said"),
    [
        ("echo no session >&2; exit 7", "exit code 7: no session"),
        ("echo hello", "printed no ExecCredential"),
        ('echo \'{"apiVersion": "client.authentication.k8s.io/v1", "status": {}}\'', "neither"),
    ],
)
def test_a_plugin_that_fails_is_named_and_nobody_asks_without_a_login(
    tmp_path: Path, script: str, said: str
) -> None:
    about = {
        "apiVersion": "client.authentication.k8s.io/v1",
        "command": "sh",
        "args": ["-c", script],
        "interactiveMode": "Never",
    }
    with pytest.raises(InputError, match=f"'sh' failed: .*{said}"):
        open_client(written(tmp_path / "config", user={"exec": about}))


def test_a_plugin_that_is_not_installed_brings_its_own_hint(tmp_path: Path) -> None:
    about = {
        "apiVersion": "client.authentication.k8s.io/v1",
        "command": "no-such-login",
        "installHint": "install it from the portal",
    }
    with pytest.raises(InputError, match="install it from the portal"):
        open_client(written(tmp_path / "config", user={"exec": about}))


def test_proxy_url_is_asked_whatever_the_environment_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NO_PROXY", "*")
    with socket.create_server(("127.0.0.1", 0)) as proxy:
        seen: list[bytes] = []

        def serve() -> None:
            connection, _ = proxy.accept()
            seen.append(connection.recv(4000))
            connection.close()

        thread = threading.Thread(target=serve)
        thread.start()
        url = f"http://kim:p%40ss@127.0.0.1:{proxy.getsockname()[1]}"
        cluster = {"proxy-url": url, "insecure-skip-tls-verify": True}
        file = written(tmp_path / "config", server="https://k8s.example:6443", cluster=cluster)
        with pytest.raises(UnreachableError):
            Cluster.open(file).version()
        thread.join()
    head = seen[0].decode()
    assert head.startswith("CONNECT k8s.example:6443 ")
    login = base64.b64encode(b"kim:p@ss").decode()
    assert f"proxy-authorization: basic {login}".lower() in head.lower()


def test_a_proxy_of_the_environment_is_not_asked_for_this_machine(
    tmp_path: Path, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("NO_PROXY", raising=False)
    monkeypatch.delenv("no_proxy", raising=False)
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    assert Cluster.open(written(tmp_path / "config", server=server.url)).version() == "v1.34.4"


def test_the_servers_name_and_the_authority_go_to_tls(tmp_path: Path) -> None:
    authority = base64.b64encode(b"-----BEGIN CERTIFICATE-----").decode()
    cluster = {"tls-server-name": "inside", "certificate-authority-data": authority}
    settings = open_client(written(tmp_path / "config", cluster=cluster)).configuration
    assert settings.tls_server_name == "inside"
    assert settings.verify_ssl
    assert Path(settings.ssl_ca_cert).read_bytes() == b"-----BEGIN CERTIFICATE-----"


@pytest.mark.parametrize(
    ("parts", "named"),
    [
        ({"user": {"as": "root"}}, "users.as,"),
        ({"user": {"as-groups": ["admins"]}}, "as-groups"),
        ({"user": {"auth-provider": {"name": "gcp"}}}, "auth-provider 'gcp'"),
        ({"cluster": {"proxy-url": "socks5://127.0.0.1:1"}}, "socks5"),
        ({"cluster": {"server": ""}}, "no server"),
        ({"cluster": {"certificate-authority": "absent.crt"}}, "absent.crt"),
        ({"cluster": {"certificate-authority-data": "%%"}}, "certificate-authority-data"),
        (
            {"cluster": {"certificate-authority": "a", "insecure-skip-tls-verify": True}},
            "exclude each other",
        ),
        ({"user": {"tokenFile": "absent"}}, "tokenFile"),
    ],
)
def test_what_cannot_be_honoured_is_refused_by_name(
    tmp_path: Path, parts: dict[str, Any], named: str
) -> None:
    with pytest.raises(InputError, match=named):
        open_client(written(tmp_path / "config", **parts))


@pytest.mark.parametrize(
    ("text", "context", "said"),
    [
        ("clusters: 3", None, "lists of clusters"),
        ("[]", None, "lists of clusters"),
        ("a: b: c", None, "not YAML"),
        ("kind: Secret", None, "lists of clusters"),
        ("{}", None, "no current-context"),
        ("contexts: [x]", None, "entry of contexts"),
    ],
)
def test_a_damaged_file_is_told(tmp_path: Path, text: str, context: str | None, said: str) -> None:
    file = tmp_path / "config"
    file.write_text(text)
    with pytest.raises(InputError, match=said):
        open_client(file, context)


def test_a_missing_context_names_those_that_are_there(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no context 'prod', it has: main"):
        open_client(written(tmp_path / "config"), "prod")
