"""A release server on this machine that can be told to misbehave."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import ClassVar


class Release(BaseHTTPRequestHandler):
    content: ClassVar[bytes] = b""
    ranges: ClassVar[bool] = True
    drop_after: ClassVar[list[int]] = []
    """Bytes after which each of the next answers breaks off."""
    asked: ClassVar[list[str]] = []
    status: ClassVar[int] = 200

    def do_GET(self) -> None:
        wanted = self.headers.get("Range", "")
        type(self).asked.append(wanted)
        if self.status != 200:
            self.send_error(self.status)
            return
        start = int(wanted.removeprefix("bytes=").rstrip("-")) if wanted and self.ranges else 0
        if start >= len(self.content) > 0 and wanted:
            self.send_error(416)
            return
        body = self.content[start:]
        self.send_response(206 if start else 200)
        if start:
            whole = len(self.content)
            self.send_header("Content-Range", f"bytes {start}-{whole - 1}/{whole}")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.drop_after:
            body = body[: type(self).drop_after.pop(0)]
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        return


@contextmanager
def serving(content: bytes) -> Iterator[tuple[str, type[Release]]]:
    class Handler(Release):
        asked: ClassVar[list[str]] = []
        drop_after: ClassVar[list[int]] = []

    Handler.content = content
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/demo.tar.gz", Handler
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
