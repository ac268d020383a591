"""The wheel for the target is chosen from any index that has it."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from mlops_infra.errors import OperationFailed
from mlops_infra.progress import quiet
from offline_bundle.discover import requirements, wheels
from offline_bundle.discover.wanted import WantedFile

WHEEL = b"a wheel"
SHA = hashlib.sha256(WHEEL).hexdigest()
FILE = "demo_pkg-1.0-py3-none-any.whl"


@contextmanager
def index(page: str, content: bytes = WHEEL) -> Iterator[str]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            found = {"/simple/demo-pkg/": page.encode(), f"/files/{FILE}": content}.get(self.path)
            self.send_response(200 if found else 404)
            self.send_header("Content-Length", str(len(found or b"")))
            self.end_headers()
            self.wfile.write(found or b"")

        def log_message(self, *_: object) -> None:
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/simple"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def choose(url: str, monkeypatch: pytest.MonkeyPatch) -> WantedFile:
    pin = requirements.Pinned("demo-pkg", "1.0", None, frozenset({SHA}), frozenset({"x"}))
    monkeypatch.setattr(requirements, "chosen", lambda *_: (pin,))
    found = wheels.of_program(("onprem",), "linux/amd64", "3.11", url, quiet)
    return next(each for each in found if each.name == "demo-pkg")


OTHERS = (
    '<a href="/files/demo_pkg-0.9-py3-none-any.whl">old</a>'
    '<a href="/files/other-1.0-py3-none-any.whl">other</a>'
    '<a href="/files/demo_pkg-1.0-cp27-cp27m-win32.whl">no</a><a href="/x.tar.gz">x</a>'
)


@pytest.mark.parametrize("fragment", [f"#sha256={SHA}", "#md5=0123456789abcdef", ""])
def test_a_hash_that_the_index_does_not_state_is_worked_out(
    fragment: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with index(f'{OTHERS}<a href="/files/{FILE}{fragment}">x</a>') as url:
        found = choose(url, monkeypatch)
    assert (found.filename, found.sha256) == (FILE, SHA)
    assert found.source.endswith(f"/files/{FILE}")


def test_other_bytes_than_the_locks_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    with (
        index(f'<a href="/files/{FILE}">x</a>', b"another wheel") as url,
        pytest.raises(OperationFailed, match=r"not one of requirements\.lock"),
    ):
        choose(url, monkeypatch)


def test_no_wheel_for_the_target_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    with index(OTHERS) as url, pytest.raises(OperationFailed, match="no wheel for the target"):
        choose(url, monkeypatch)


def test_an_index_that_refuses_says_what_to_set(monkeypatch: pytest.MonkeyPatch) -> None:
    with index(OTHERS) as url, pytest.raises(OperationFailed) as caught:
        choose(url.replace("/simple", "/nowhere"), monkeypatch)
    assert "404" in str(caught.value)
    assert caught.value.hint
