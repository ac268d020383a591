"""The client library against an API server that asks for patience."""

from __future__ import annotations

import base64
import json
import os
import subprocess
import threading
from collections.abc import Iterator, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
import yaml

from mlops_infra import toolchain
from mlops_infra.kube import kubeconfig, open_client
from mlops_infra.progress import quiet

BUSY = 3
"""Answers of 429 before one of 200, as when a definition is a second old."""


class _Server(ThreadingHTTPServer):
    asked = 0


class _Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        assert isinstance(self.server, _Server)
        self.server.asked += 1
        busy = self.path == "/version/" and self.server.asked <= BUSY
        self.send_response(429 if busy else 200 if self.path == "/version/" else 503)
        self.send_header("Retry-After", "0")
        body = b'{"major":"1","minor":"34","gitVersion":"v1.34.4","gitCommit":"","gitTreeState":"",'
        body += b'"buildDate":"","goVersion":"","compiler":"","platform":""}'
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_words: object) -> None:
        """Nothing on stderr."""


@pytest.fixture
def server() -> Iterator[_Server]:
    with _Server(("127.0.0.1", 0), _Handler) as found:
        thread = threading.Thread(target=found.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield found
        found.shutdown()
        thread.join()


def test_a_busy_server_is_asked_again_and_a_broken_one_is_not(
    server: _Server, tmp_path: Path
) -> None:
    from kubernetes import client

    file = tmp_path / "kubeconfig"
    url = f"http://127.0.0.1:{server.server_port}"
    about = {
        "clusters": [{"name": "c", "cluster": {"server": url}}],
        "users": [{"name": "u", "user": {}}],
        "contexts": [{"name": "x", "context": {"cluster": "c", "user": "u"}}],
        "current-context": "x",
    }
    file.write_text(yaml.safe_dump(about), encoding="utf-8")
    api = open_client(file, None)
    assert client.VersionApi(api).get_code().git_version == "v1.34.4"
    assert server.asked == BUSY + 1

    with pytest.raises(client.ApiException, match="503"):
        client.CoreV1Api(api).list_node()
    assert server.asked == BUSY + 2
    api.close()


def test_kubectl_reads_the_same_out_of_a_list_of_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The rules of merging are kubectl's: it is asked itself."""
    kubectl = toolchain.ensure(["kubectl"], quiet)["kubectl"].path
    files = [tmp_path / "a" / "config", tmp_path / "b" / "config", tmp_path / "c" / "config"]
    users = [{"tokenFile": "token"}, {"token": "second"}, {"client-certificate": "../u.crt"}]
    for file, user, letter in zip(files, users, "abc", strict=True):
        file.parent.mkdir()
        for name in ("ca.crt", "../u.crt"):
            (file.parent / name).write_text(f"{name} of {letter}")
        server = {"server": f"https://{letter}.example", "certificate-authority": "ca.crt"}
        about = {
            "clusters": [{"name": name, "cluster": server} for name in ("same", letter)],
            "users": [{"name": name, "user": user} for name in ("same", letter)],
            "contexts": [
                {"name": letter, "context": {"cluster": letter, "user": "same"}},
                {"name": "same", "context": {"cluster": "same", "user": letter}},
            ],
            **({} if letter == "a" else {"current-context": letter}),
        }
        file.write_text(yaml.safe_dump(about), encoding="utf-8")
    listed = [tmp_path / "absent", *files]
    monkeypatch.setenv("KUBECONFIG", os.pathsep.join(map(str, listed)))
    for context in (None, "a", "b", "c", "same"):
        words = [str(kubectl), "config", "view", "--minify", "--raw", "--flatten", "-o", "json"]
        words += ["--context", context] if context else []
        done = subprocess.run(words, capture_output=True, text=True, check=True)
        theirs, ours = json.loads(done.stdout), kubeconfig.read(None, context)
        assert theirs["clusters"][0]["cluster"] == _flat(ours.cluster)
        assert theirs["users"][0]["user"] == _flat(ours.user)


def _flat(body: Mapping[str, Any]) -> dict[str, Any]:
    """As kubectl shows it with `--flatten`: files of certificates by their content."""
    shown = dict(body)
    for key in ("certificate-authority", "client-certificate"):
        if key in shown:
            shown[f"{key}-data"] = base64.b64encode(Path(shown.pop(key)).read_bytes()).decode()
    if "tokenFile" in shown:
        shown["tokenFile"] = Path(shown["tokenFile"]).name
    return shown
