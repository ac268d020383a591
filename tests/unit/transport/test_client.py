"""What is known of a server counts for every request to it, and for no other server."""

from __future__ import annotations

import base64
import gzip
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from mlops_infra.transport import TROUBLE, Client, HttpError, Logins
from mlops_infra.transport import logins as known

Answer = tuple[int, dict[str, str], bytes]


class Site:
    def __init__(self, answer: Callable[[str, str | None], Answer]) -> None:
        self.answer = answer
        self.asked: list[tuple[str, str | None]] = []
        self.address = ""


@contextmanager
def site(answer: Callable[[str, str | None], Answer]) -> Iterator[Site]:
    found = Site(answer)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            login = self.headers.get("Authorization")
            found.asked.append((self.path, login))
            status, headers, body = found.answer(self.path, login)
            self.send_response(status)
            for name, value in {**headers, "Content-Length": str(len(body))}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    found.address = f"127.0.0.1:{server.server_port}"
    try:
        yield found
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture(autouse=True)
def alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (*known.INDEX_VARIABLES, *known._MORE_VARIABLES):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    monkeypatch.setattr(known, "_given", [])
    monkeypatch.setattr("mlops_infra.transport.retrying._FIRST_SECONDS", 0.001)


def basic(pair: str) -> str:
    return "Basic " + base64.b64encode(pair.encode()).decode()


def private(_path: str, login: str | None) -> Answer:
    return (200, {}, b"content") if login == basic("n@me:p:w") else (401, {}, b"")


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("UV_DEFAULT_INDEX", "http://n%40me:p%3Aw@HOST/simple"),
        ("PIP_EXTRA_INDEX_URL", "https://pypi.org/simple http://n%40me:p%3Aw@HOST/x/"),
        ("UV_INDEX", "site=http://n%40me:p%3Aw@HOST/simple ./wheels"),
    ],
)
def test_the_login_of_an_index_counts_for_all_files_of_its_server(
    variable: str, value: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with site(private) as server:
        monkeypatch.setenv(variable, value.replace("HOST", server.address))
        with Client() as client:
            found = client.document(f"http://{server.address}/files/demo.whl")
    assert found.content == b"content"
    assert "@" not in found.url


def test_netrc_answers_a_server_that_asks_and_nobody_else(tmp_path: Path) -> None:
    (tmp_path / "netrc").write_text("machine 127.0.0.1 login n@me password p:w\n")
    with site(private) as server, site(lambda *_: (200, {}, b"open")) as public, Client() as client:
        client.document(f"http://{server.address}/a")
        client.document(f"http://{public.address}/b")
        assert [login for _, login in server.asked] == [None, basic("n@me:p:w")]
        assert public.asked == [("/b", None)]


def test_a_broken_netrc_costs_nothing_where_no_login_is_needed(tmp_path: Path) -> None:
    (tmp_path / "netrc").write_text("machine\n\nlogin login login\x00")
    with site(private) as server, Client() as client, pytest.raises(HttpError) as caught:
        client.document(f"http://{server.address}/a")
    assert caught.value.status == 401
    assert "netrc" in (caught.value.hint or "")


def test_a_login_does_not_follow_a_redirect_to_another_server() -> None:
    with site(lambda *_: (200, {}, b"elsewhere")) as other:

        def away(_path: str, _login: str | None) -> Answer:
            return 302, {"Location": f"http://{other.address}/x"}, b""

        with site(away) as server, Client(Logins()) as client:
            found = client.document(f"http://u:secret@{server.address}/a")
        assert server.asked == [("/a", basic("u:secret"))]
    assert other.asked == [("/x", None)]
    assert found.url == f"http://{other.address}/x"


def test_redirects_in_a_circle_and_to_nowhere_end() -> None:
    with (
        site(lambda path, _: (307, {"Location": path}, b"")) as server,
        Client() as client,
        pytest.raises(HttpError, match="too often"),
    ):
        client.document(f"http://{server.address}/a")
    with (
        site(lambda *_: (302, {}, b"")) as server,
        Client() as client,
        pytest.raises(HttpError, match="without a Location"),
    ):
        client.document(f"http://{server.address}/a")


def test_a_document_that_is_packed_unasked_is_unpacked() -> None:
    packed = gzip.compress(b"plain text")
    headers = {"Content-Encoding": "gzip"}
    with site(lambda *_: (200, headers, packed)) as server, Client() as client:
        assert client.document(f"http://{server.address}/a").content == b"plain text"
    with (
        site(lambda *_: (200, headers, packed[:-9])) as server,
        Client() as client,
        pytest.raises(HttpError, match="cut off"),
    ):
        client.document(f"http://{server.address}/a")


def test_a_proxy_that_wants_a_login_or_is_dead_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("no_proxy", raising=False)
    monkeypatch.delenv("NO_PROXY", raising=False)
    with site(lambda *_: (407, {}, b"")) as proxy, Client() as client:
        monkeypatch.setenv("http_proxy", f"http://u:secret@{proxy.address}")
        with pytest.raises(HttpError, match=f"the proxy {proxy.address}") as caught:
            client.document("http://index.example/simple/")
        assert proxy.asked[0][0] == "http://index.example/simple/"
    assert "secret" not in str(caught.value)
    with Client() as client, pytest.raises(TROUBLE, match=f"the proxy {proxy.address}"):
        client.document("http://index.example/simple/")
