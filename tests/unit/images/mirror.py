"""A mirror on loopback that answers as it is told."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass
class Mirror:
    """Answers in order: `cut N` sends N bytes and hangs up, `ok`, `long`, or a status."""

    content: bytes
    answers: list[str]
    url: str = ""
    asked: list[tuple[str, str | None]] = field(default_factory=list)
    """Path and Range header of each request."""


@contextmanager
def mirror(content: bytes, *answers: str) -> Iterator[Mirror]:
    state = Mirror(content, list(answers))

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            wanted = self.headers.get("Range")
            state.asked.append((self.path, wanted))
            answer = state.answers.pop(0) if state.answers else "404"
            if answer.isdigit():
                self.send_error(int(answer))
                return
            start = int(wanted.removeprefix("bytes=").rstrip("-")) if wanted else 0
            body = content[start:] + (b"more" if answer == "long" else b"")
            self.send_response(206 if wanted else 200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            kind, _, cut = answer.partition(" ")
            self.wfile.write(body[: int(cut)] if kind == "cut" else body)

        def log_message(self, *_arguments: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        state.url = f"http://127.0.0.1:{server.server_port}"
        yield state
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
