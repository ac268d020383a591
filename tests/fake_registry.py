"""A fake registry that misbehaves on command; the real one is in tests/engine."""

from __future__ import annotations

import hashlib
import json
import re
import socket
import struct
import threading
import urllib.parse
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

Fault = Callable[["Handler", str, str], bool]
"""Gets the handler, method and path; True where it has answered (or has not, on purpose)."""
_UPLOAD = re.compile(r"/v2/(.+)/blobs/uploads/([0-9]*)")
_CONTENT = re.compile(r"/v2/(.+)/(blobs|manifests)/([^/]+)")


@dataclass
class State:
    """What the fake holds and has seen."""

    fault: Fault
    blobs: dict[str, set[str]] = field(default_factory=dict)
    content: dict[str, bytes] = field(default_factory=dict)
    manifests: dict[tuple[str, str], bytes] = field(default_factory=dict)
    sessions: dict[str, bytearray] = field(default_factory=dict)
    opened: int = 0
    seen: list[str] = field(default_factory=list)
    """`METHOD path authorization` of every request."""
    location: str = ""
    """Put before the path of an upload, to send it elsewhere."""
    mounts: bool = True
    lock: threading.Lock = field(default_factory=threading.Lock)


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    state: State

    def log_message(self, *_: Any) -> None:
        return

    def answer(self, status: int, content: bytes = b"", **headers: str) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)

    def body(self) -> bytes:
        return self.rfile.read(int(self.headers.get("Content-Length") or 0))

    def take(self, size: int) -> bytes:
        """Read so much of the body and cut the connection, without a word."""
        part = self.rfile.read(size)
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.connection.close()
        self.close_connection = True
        return part

    def _serve(self) -> None:
        path, _, query = self.path.partition("?")
        with self.state.lock:
            credentials = self.headers.get("Authorization", "-")
            self.state.seen.append(f"{self.command} {self.path} {credentials}")
        if self.state.fault(self, self.command, path):
            return
        values = dict(urllib.parse.parse_qsl(query))
        if found := _UPLOAD.fullmatch(path):
            self._upload(found[1], found[2], values)
        elif found := _CONTENT.fullmatch(path):
            self._content(found[1], found[2], found[3])
        else:
            self.answer(404)

    do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = _serve  # noqa: N815

    def _upload(self, repository: str, number: str, values: dict[str, str]) -> None:
        state, content = self.state, self.body()
        if self.command == "POST":
            held = state.blobs.get(values.get("mount", ""), set())
            if state.mounts and values.get("from") in held:
                held.add(repository)
                return self.answer(201)
            with state.lock:
                state.opened += 1
                number = str(state.opened)
                state.sessions[number] = bytearray()
            return self.answer(202, Location=self._where(repository, number))
        if number not in state.sessions:
            return self.answer(404)
        session = state.sessions[number]
        if self.command == "GET":
            where = self._where(repository, number)
            return self.answer(204, Location=where, Range=f"0-{max(len(session) - 1, 0)}")
        if self.command == "DELETE":
            del state.sessions[number]
            return self.answer(204)
        if self.command == "PATCH":
            start = int(self.headers["Content-Range"].partition("-")[0])
            if start != len(session):
                return self.answer(416, Range=f"0-{len(session) - 1}")
            session += content
            where = self._where(repository, number)
            return self.answer(202, Location=where, Range=f"0-{len(session) - 1}")
        session += content
        digest = "sha256:" + hashlib.sha256(session).hexdigest()
        if digest != values["digest"]:
            return self.answer(400, b'{"errors":[{"code":"DIGEST_INVALID"}]}')
        state.content[digest] = bytes(session)
        state.blobs.setdefault(digest, set()).add(repository)
        return self.answer(201)

    def _where(self, repository: str, number: str) -> str:
        return f"{self.state.location}/v2/{repository}/blobs/uploads/{number}"

    def _content(self, repository: str, kind: str, name: str) -> None:
        state = self.state
        if kind == "blobs":
            return self.answer(200 if repository in state.blobs.get(name, ()) else 404)
        if self.command == "PUT":
            content = self.body()
            digest = "sha256:" + hashlib.sha256(content).hexdigest()
            document = json.loads(content)
            described = document.get("layers", [])
            for blob in [document["config"], *described] if described else []:
                assert repository in state.blobs[blob["digest"]], "a manifest before its blobs"
            state.manifests[repository, name] = state.manifests[repository, digest] = content
            return self.answer(201)
        held = state.manifests.get((repository, name))
        if held is None:
            return self.answer(404)
        if self.command == "DELETE":
            del state.manifests[repository, name]
            return self.answer(202)
        digest = "sha256:" + hashlib.sha256(held).hexdigest()
        return self.answer(200, held, Docker_Content_Digest=digest)


def healthy(_handler: Handler, _method: str, _path: str) -> bool:
    return False


@contextmanager
def fake_registry(fault: Fault = healthy) -> Iterator[tuple[str, State]]:
    """`127.0.0.1:port` and what it holds."""
    state = State(fault)
    handler = type("Scripted", (Handler,), {"state": state})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    server.handle_error = lambda *_: None  # type: ignore[method-assign]  # we cut connections
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    try:
        yield f"127.0.0.1:{server.server_address[1]}", state
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
