"""`mlops-infra bundle serve` as a process of its own: sockets, TLS, memory, and how it ends."""

from __future__ import annotations

import base64
import hashlib
import http.client
import signal
import socket
import ssl
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from offline_bundle.model import Blob
from offline_bundle.serve.server import MAX_CONNECTIONS
from tests.bundles import Maker
from tests.registries import incompressible

LARGE = incompressible(48 << 20, 7)
NAME = "/v2/registry.example/ml/large"
PASSWORD = "canary-of-a-password"


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Maker:
    maker = Maker(tmp_path_factory.mktemp("bundle") / "b")
    maker.image("registry.example/ml/large:1", [LARGE])
    maker.seal()
    return maker


@pytest.fixture(scope="module")
def blob(bundle: Maker) -> Blob:
    return max(bundle.images[0].blobs, key=lambda each: each.size)


@contextmanager
def serving(folder: Path, *more: object) -> Iterator[tuple[subprocess.Popen[str], str, Path]]:
    """The process, its address `host:port`, and the file of its stderr."""
    log = folder.with_name("serve.log")
    command = [Path(sys.executable).with_name("mlops-infra"), "bundle", "serve", folder]
    with log.open("w") as errors:
        process = subprocess.Popen(
            [*map(str, command), "--listen", "127.0.0.1:0", "--log", *map(str, more)],
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
        )
    assert process.stdout is not None
    try:
        line = process.stdout.readline()
        assert "://" in line, log.read_text()
        yield process, line.strip().rpartition("//")[2], log
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


def get(host: str, path: str, **headers: str) -> tuple[int, bytes]:
    connection = http.client.HTTPConnection(host, timeout=30)
    connection.request("GET", path, headers={k.replace("_", "-"): v for k, v in headers.items()})
    reply = connection.getresponse()
    content = reply.read()
    connection.close()
    return reply.status, content


def rss(pid: int) -> int:
    """The largest resident set that a process ever had, bytes."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmHWM"):
            return int(line.split()[1]) << 10
    raise AssertionError("no VmHWM")


def test_many_readers_of_a_large_blob_and_little_memory(bundle: Maker, blob: Blob) -> None:
    with serving(bundle.folder) as (process, host, _):
        found: list[bytes] = []

        def read(start: int) -> None:
            status, content = get(host, f"{NAME}/blobs/{blob.digest}", Range=f"bytes={start}-")
            assert status == (206 if start < len(LARGE) else 416)
            found.append(hashlib.sha256(LARGE[:start] + content).digest())

        readers = [threading.Thread(target=read, args=(n << 20,)) for n in range(8)]
        for each in readers:
            each.start()
        for each in readers:
            each.join()
        assert set(found) == {hashlib.sha256(LARGE).digest()}
        assert len(found) == len(readers)
        assert rss(process.pid) < 150 << 20


def test_a_stop_finishes_what_is_under_way(bundle: Maker, blob: Blob) -> None:
    with serving(bundle.folder) as (process, host, _):
        idle = socket.create_connection(host.split(":"))  # type: ignore[arg-type]
        connection = http.client.HTTPConnection(host, timeout=30)
        connection.request("GET", f"{NAME}/blobs/{blob.digest}")
        reply = connection.getresponse()
        content = reply.read(1 << 20)
        process.send_signal(signal.SIGTERM)
        time.sleep(0.3)
        with pytest.raises(OSError, match="refused"):
            get(host, "/healthz")
        content += reply.read()
        connection.close()
        assert content == LARGE
        assert process.wait(15) == 0
        idle.close()


def test_tls_and_accounts(bundle: Maker, tmp_path: Path) -> None:
    cert, key, accounts = (tmp_path / name for name in ("cert.pem", "key.pem", "accounts"))
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
         "-nodes", "-days", "2", "-subj", "/CN=site", "-addext", "subjectAltName=IP:127.0.0.1",
         "-keyout", key, "-out", cert],
        check=True, capture_output=True,
    )  # fmt: skip
    accounts.write_text(f"reader:{PASSWORD}\n")
    accounts.chmod(0o600)
    options = ("--cert", cert, "--cert-key", key, "--accounts", accounts)
    with serving(bundle.folder, *options) as (process, host, log):
        # somebody who says nothing holds nobody up
        silent = socket.create_connection(host.split(":"))  # type: ignore[arg-type]
        context = ssl.create_default_context(cafile=str(cert))
        pair = base64.b64encode(f"reader:{PASSWORD}".encode()).decode()
        for headers, wanted in (({}, 401), ({"Authorization": f"Basic {pair}"}, 200)):
            connection = http.client.HTTPSConnection(host, context=context, timeout=20)
            connection.request("GET", f"{NAME}/manifests/1", headers=headers)
            reply = connection.getresponse()
            assert (reply.status, bool(reply.read())) == (wanted, True)
            connection.close()
        with pytest.raises(OSError, match=r"(?i)reset|closed|remote end"):
            get(host, "/healthz")
        silent.close()
        said = log.read_text()
        assert PASSWORD not in said + Path(f"/proc/{process.pid}/cmdline").read_text()
        assert pair not in said


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        (b"GET /healthz HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\nGET / HTT", b"400"),
        (b"GET / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", b"400"),
        (b"PUT /v2/a/manifests/1 HTTP/1.1\r\nContent-Length: 3\r\n\r\nabc", b"405"),
        (b"BREW / HTTP/1.1\r\n\r\n", b"501"),
        (b"GET /" + b"a" * 70_000 + b" HTTP/1.1\r\n\r\n", b"414"),
        (b"GET / HTTP/1.1\r\n" + b"".join(b"x%d: y\r\n" % n for n in range(200)) + b"\r\n", b"431"),
        (b"\x16\x03\x01\x02\x00\x01\x00", b""),
    ],
)
def test_what_is_no_request_ends_its_connection(server: str, sent: bytes, status: bytes) -> None:
    with socket.create_connection(server.split(":"), 10) as connection:  # type: ignore[arg-type]
        with suppress(BrokenPipeError, ConnectionResetError):
            connection.sendall(sent)
            connection.shutdown(socket.SHUT_WR)
        answer = b""
        with suppress(ConnectionResetError):
            while part := connection.recv(65536):
                answer += part
    # one answer and no second one: what follows is never taken for a request
    assert answer.count(b"HTTP/1.1 ") == (1 if status else 0)
    assert status in answer.partition(b"\r\n")[0]
    assert get(server, "/healthz")[0] == 200


@pytest.fixture(scope="module")
def server(bundle: Maker) -> Iterator[str]:
    with serving(bundle.folder) as (_, host, _log):
        yield host


def test_too_many_connections_are_sent_away_and_the_next_is_served(server: str) -> None:
    where = server.split(":")
    held = [socket.create_connection(where, 10) for _ in range(MAX_CONNECTIONS)]  # type: ignore[arg-type]
    until = time.monotonic() + 10
    while True:
        status, _ = get(server, "/healthz")
        if status == 503 or time.monotonic() > until:
            break
    assert status == 503
    for each in held:
        each.close()
    until = time.monotonic() + 10
    while get(server, "/healthz")[0] != 200:
        assert time.monotonic() < until
