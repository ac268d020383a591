"""A scripted registry on loopback: serves blobs and manifests from memory, and misbehaves on order.

It is a fake, and only for what no real registry does on request. What it was asked is kept.
"""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from offline_bundle.layout import INDEX_TYPES
from offline_bundle.model import Blob, LockedImage
from tests.registries import CONFIG, LAYER, MANIFEST, digest, encode

Trick = Callable[["Handler", bytes, int], bool]
"""Gets the request, the blob and the first byte asked for; True: it has answered."""


@dataclass
class Script:
    """What the server holds and does."""

    blobs: dict[str, bytes] = field(default_factory=dict)
    manifests: dict[str, bytes] = field(default_factory=dict)
    tricks: list[Trick] = field(default_factory=list)
    """One for each of the next requests for a layer; then it behaves."""
    always: Trick | None = None
    """For every request of a layer."""
    asked: list[tuple[str, str, dict[str, str]]] = field(default_factory=list)
    """Method, path and headers of each request."""
    sent: int = 0
    """Bytes of blobs that were given to the socket."""
    rate: int | None = None
    """Bytes per second and connection."""
    guard: Callable[[Handler], bool] | None = None
    """Looks at every request first; True: it has answered."""
    lock: threading.Lock = field(default_factory=threading.Lock)

    def image(self, host: str, path: str, layers: list[bytes]) -> LockedImage:
        """Put an image in; its lock."""
        config = encode({"architecture": "amd64", "os": "linux", "rootfs": {"type": "layers"}})
        contents = [config, *layers]
        described = [
            {"mediaType": LAYER, "digest": digest(each), "size": len(each)} for each in layers
        ]
        manifest = encode(
            {
                "schemaVersion": 2,
                "mediaType": MANIFEST,
                "config": {"mediaType": CONFIG, "digest": digest(config), "size": len(config)},
                "layers": described,
            }
        )
        self.manifests[digest(manifest)] = manifest
        self.blobs |= {digest(each): each for each in contents}
        blobs = {digest(each): len(each) for each in (manifest, *contents)}
        return LockedImage(
            reference=f"{host}/{path}:1",
            digest=digest(manifest),
            media_type=MANIFEST,
            size=len(manifest),
            platforms=(),
            blobs=tuple(Blob(name, size) for name, size in sorted(blobs.items())),
        )


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Server

    @property
    def script(self) -> Script:
        return self.server.script

    def do_GET(self) -> None:
        script = self.script
        script.asked.append((self.command, self.path, dict(self.headers)))
        if script.guard and script.guard(self):
            return
        kind, name = self.path.split("/")[-2:]
        if kind == "manifests" and name in script.manifests:
            self.whole(script.manifests[name], MANIFEST)
        elif kind == "blobs" and name in script.blobs:
            self._blob(script.blobs[name])
        elif kind == "referrers":
            self.whole(encode({"manifests": []}), next(iter(sorted(INDEX_TYPES))))
        else:
            self.error(404, "NAME_UNKNOWN")

    def do_HEAD(self) -> None:
        self.do_GET()

    def _blob(self, content: bytes) -> None:
        start = int(self.headers.get("Range", "bytes=0-").removeprefix("bytes=").rstrip("-"))
        script = self.script
        large = len(content) > 1000
        if large and script.always and script.always(self, content, start):
            return
        with script.lock:
            trick = script.tricks.pop(0) if large and script.tricks else None
        if trick and trick(self, content, start):
            return
        self.part(content, start)

    def part(self, content: bytes, start: int, until: int | None = None) -> None:
        """Answer well, with all of it or from `start`; `until` breaks off."""
        self.send_response(206 if start else 200)
        if start:
            self.send_header("Content-Range", f"bytes {start}-{len(content) - 1}/{len(content)}")
        self.send_header("Content-Length", str(len(content) - start))
        self.end_headers()
        self.pour(memoryview(content)[start:until])

    def pour(self, content: bytes | memoryview) -> None:
        step = 1 << 14
        for offset in range(0, len(content), step):
            piece = content[offset : offset + step]
            self.wfile.write(piece)
            with self.script.lock:
                self.script.sent += len(piece)
            if self.script.rate:
                time.sleep(len(piece) / self.script.rate)

    def whole(self, content: bytes, media_type: str) -> None:
        self.send_response(200)
        self.send_header("Content-Type", media_type)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)

    def error(self, status: int, code: str, headers: dict[str, str] | None = None) -> None:
        content = encode({"errors": [{"code": code}]})
        self.send_response(status)
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)

    def cut(self) -> None:
        """End the connection the hard way."""
        self.close_connection = True
        linger = b"\x01\x00\x00\x00\x00\x00\x00\x00"
        time.sleep(0.1)  # a reset throws away what the other side has not read yet
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        self.connection.close()

    def log_message(self, *_: object) -> None:
        return


class Server(ThreadingHTTPServer):
    daemon_threads = True
    script: Script

    def handle_error(self, request: object, client_address: object) -> None:
        return  # a client that goes away is what these tests are about


@contextmanager
def serving(script: Script) -> Iterator[str]:
    """Serve; yields `127.0.0.1:port`."""
    server = Server(("127.0.0.1", 0), Handler)
    server.script = script
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield f"127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
