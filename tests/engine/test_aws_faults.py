"""A server of AWS's kind that refuses: how often it is asked, and what a person is told."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from mlops_infra.aws import Cloud, Site
from mlops_infra.aws.faults import PermissionMissing, Throttled
from mlops_infra.errors import MissingError, OperationFailed


class Refusing(BaseHTTPRequestHandler):
    code = "ThrottlingException"
    asked = 0

    def do_POST(self) -> None:
        type(self).asked += 1
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        body = json.dumps({"__type": self.code, "message": "no"}).encode()
        self.send_response(400)
        self.send_header("Content-Type", "application/x-amz-json-1.1")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def refusing() -> Iterator[tuple[type[Refusing], Cloud]]:
    handler = type("Handler", (Refusing,), {})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        yield (
            handler,
            Cloud(Site("us-east-1", None, None, f"http://127.0.0.1:{server.server_port}")),
        )
        server.shutdown()
        thread.join()


def test_throttling_is_retried_a_bounded_number_of_times(
    refusing: tuple[type[Refusing], Cloud],
) -> None:
    handler, cloud = refusing
    with pytest.raises(Throttled, match="glue:StopCrawler: AWS is throttling"):
        cloud.call("glue", "stop_crawler", Name="x")
    assert handler.asked == 3


@pytest.mark.parametrize(
    ("code", "error", "words"),
    [
        ("ExpiredTokenException", MissingError, "glue:StopCrawler: the credentials have expired"),
        ("AccessDeniedException", PermissionMissing, "may not glue:StopCrawler"),
        ("UnrecognizedClientException", MissingError, "does not accept the credentials"),
    ],
)
def test_what_no_retry_mends_is_asked_once(
    refusing: tuple[type[Refusing], Cloud], code: str, error: type[Exception], words: str
) -> None:
    handler, cloud = refusing
    handler.code = code
    with pytest.raises(error, match=words):
        cloud.call("glue", "stop_crawler", Name="x")
    assert handler.asked == 1


def test_nobody_there_is_told_with_the_place() -> None:
    cloud = Cloud(Site("us-east-1", None, None, "http://127.0.0.1:9"))
    with pytest.raises(OperationFailed, match="glue:StopCrawler: AWS did not answer"):
        cloud.call("glue", "stop_crawler", Name="x")
