"""The client library against an API server that asks for patience."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
import yaml

from mlops_infra.kube import open_client

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
