"""A fake release server on this machine that can be told to misbehave."""

import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import ClassVar


class Release(BaseHTTPRequestHandler):
    files: ClassVar[Mapping[str, bytes]] = {}
    """Path -> content."""
    ranges: ClassVar[bool] = True
    drop_after: ClassVar[list[int]] = []
    """Bytes after which each of the next answers breaks off."""
    asked: ClassVar[list[str]] = []
    """The range of each request, empty where the whole was asked for."""
    paths: ClassVar[list[str]] = []
    accepted: ClassVar[list[str]] = []
    logins: ClassVar[list[str | None]] = []
    status: ClassVar[int] = 200

    def do_GET(self) -> None:
        wanted = self.headers.get("Range", "")
        type(self).asked.append(wanted)
        type(self).paths.append(self.path)
        type(self).logins.append(self.headers.get("Authorization"))
        type(self).accepted.append(self.headers.get("Accept", ""))
        content = self.files.get(self.path)
        if content is None or self.status != 200:
            self.send_error(404 if self.status == 200 else self.status)
            return
        start = int(wanted.removeprefix("bytes=").rstrip("-")) if wanted and self.ranges else 0
        if start >= len(content) > 0 and wanted:
            self.send_error(416)
            return
        body = content[start:]
        self.send_response(206 if start else 200)
        if start:
            whole = len(content)
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
    """Serve one file; yields its address."""
    with serving_files({"/demo.tar.gz": content}) as (url, server):
        yield f"{url}/demo.tar.gz", server


@contextmanager
def serving_files(files: Mapping[str, bytes]) -> Iterator[tuple[str, type[Release]]]:
    """Serve `files` by path; yields the server's address."""

    class Handler(Release):
        asked: ClassVar[list[str]] = []
        paths: ClassVar[list[str]] = []
        accepted: ClassVar[list[str]] = []
        logins: ClassVar[list[str | None]] = []
        drop_after: ClassVar[list[int]] = []

    Handler.files = files
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", Handler
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
