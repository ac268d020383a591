"""Talks to a person's JupyterLab as a browser does: over HTTP and a kernel's WebSocket."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
import uuid
from dataclasses import dataclass, field
from typing import Any

PATIENCE = 90
"""Seconds for one answer; a kernel imports for a while on a busy machine."""


@dataclass(frozen=True)
class Notebook:
    """One JupyterLab behind the router."""

    url: str
    """With the person's path, a slash at its end."""
    token: str = field(default="", repr=False)

    def status(self, path: str = "api/status") -> int:
        """HTTP status of a page."""
        try:
            with urllib.request.urlopen(self._request(path), timeout=PATIENCE) as answer:  # noqa: S310
                return int(answer.status)
        except urllib.error.HTTPError as error:
            with error:
                return error.code

    def json(self, path: str, method: str = "GET", body: Any = None) -> Any:
        """What the server's API answers."""
        request = self._request(path, method, body)
        with urllib.request.urlopen(request, timeout=PATIENCE) as answer:  # noqa: S310
            text = answer.read()
        return json.loads(text) if text else None

    def run(self, code: str) -> str:
        """What a cell prints, run by a kernel of its own.

        Raises:
            AssertionError: the cell raised something.
        """
        kernel = self.json("api/kernels", "POST", {"name": "python3"})["id"]
        try:
            return self._execute(kernel, code)
        finally:
            self.json(f"api/kernels/{kernel}", "DELETE")

    def _request(self, path: str, method: str = "GET", body: Any = None) -> urllib.request.Request:
        headers = {"Authorization": f"token {self.token}"} if self.token else {}
        data = json.dumps(body).encode() if body is not None else None
        return urllib.request.Request(  # noqa: S310
            f"{self.url}{path}",
            method=method,
            data=data,
            headers={**headers, "Content-Type": "application/json"},
        )

    def _execute(self, kernel: str, code: str) -> str:
        import websocket

        address = f"{self.url.replace('http', 'ws', 1)}api/kernels/{kernel}/channels"
        header = [f"Authorization: token {self.token}"]
        socket = websocket.create_connection(address, timeout=PATIENCE, header=header)
        try:
            message = uuid.uuid4().hex
            socket.send(json.dumps(_execute_request(message, code)))
            return _printed(socket, message)
        finally:
            socket.close()


def _execute_request(message: str, code: str) -> dict[str, Any]:
    return {
        "header": {
            "msg_id": message,
            "username": "",
            "session": message,
            "msg_type": "execute_request",
            "version": "5.3",
        },
        "parent_header": {},
        "metadata": {},
        "content": {"code": code, "silent": False, "store_history": False, "allow_stdin": False},
        "channel": "shell",
    }


def _printed(socket: Any, message: str) -> str:
    said = ""
    while True:
        got = json.loads(socket.recv())
        if got["parent_header"].get("msg_id") != message:
            continue
        kind, content = got["msg_type"], got["content"]
        if kind == "stream":
            said += content["text"]
        elif kind == "error":
            raise AssertionError(f"{content['ename']}: {content['evalue']}")
        elif kind == "status" and content["execution_state"] == "idle":
            return said
