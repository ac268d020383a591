"""The few calls to a Kubernetes API server that the cluster itself makes, over plain `http.client`.

The official client costs a second and 60 MB to import; the provisioner runs for as long as the
cluster does and `cluster status` should answer at once.
"""

from __future__ import annotations

import base64
import http.client
import json
import os
import ssl
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

MANAGER = "mlops-infra"
"""Field manager of what is applied from here."""


class ApiError(Exception):
    """The API server answered with an error, or not at all (`status` 0)."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


class Api:
    """Access with the client certificate of a kubeconfig written by `kubeconfig.write`."""

    def __init__(self, kubeconfig: Path, *, timeout: float = 5.0) -> None:
        """Raises FileNotFoundError where there is no such kubeconfig."""
        config = json.loads(kubeconfig.read_text(encoding="utf-8"))
        cluster, user = config["clusters"][0]["cluster"], config["users"][0]["user"]
        self.server: str = cluster["server"]
        self._timeout = timeout
        ca = base64.b64decode(cluster["certificate-authority-data"]).decode()
        self._tls = ssl.create_default_context(cadata=ca)
        _load_client(self._tls, user["client-certificate-data"], user["client-key-data"])

    def _connect(self, timeout: float | None) -> http.client.HTTPSConnection:
        parts = urlsplit(self.server)
        return http.client.HTTPSConnection(
            parts.hostname or "", parts.port, timeout=timeout, context=self._tls
        )

    def text(self, path: str, *, timeout: float | None = None) -> str:
        """GET `path` and return the body.

        Raises:
            ApiError: no answer, or another status than 2xx.
        """
        return self._call("GET", path, None, "", timeout)

    def get(self, path: str) -> dict[str, Any]:
        """GET a JSON object; raises like `text`."""
        found: dict[str, Any] = json.loads(self.text(path))
        return found

    def apply(self, path: str, value: Mapping[str, Any]) -> dict[str, Any]:
        """Server-side apply; what others set in other fields stays. Raises like `text`."""
        query = urlencode({"fieldManager": MANAGER, "force": "true"})
        kind = "application/apply-patch+yaml"
        found: dict[str, Any] = json.loads(self._call("PATCH", f"{path}?{query}", value, kind))
        return found

    def create(self, path: str, value: Mapping[str, Any]) -> dict[str, Any]:
        """POST to a collection. Raises like `text`; status 409 where it exists."""
        found: dict[str, Any] = json.loads(self._call("POST", path, value, "application/json"))
        return found

    def patch(self, path: str, value: Mapping[str, Any]) -> dict[str, Any]:
        """JSON merge patch. Raises like `text`."""
        kind = "application/merge-patch+json"
        found: dict[str, Any] = json.loads(self._call("PATCH", path, value, kind))
        return found

    def delete(self, path: str) -> None:
        """DELETE; an object that is gone already is fine. Raises like `text`."""
        try:
            self._call("DELETE", path, None, "")
        except ApiError as error:
            if error.status != 404:
                raise

    def watch(self, path: str, version: str, *, seconds: int = 240) -> Iterator[dict[str, Any]]:
        """Events of a collection since `version` until the server ends it. Raises ApiError."""
        query = urlencode({"watch": "1", "resourceVersion": version, "timeoutSeconds": seconds,
                           "allowWatchBookmarks": "true"})  # fmt: skip
        connection = self._connect(seconds + 30.0)
        try:
            connection.request("GET", f"{path}?{query}", headers={"Accept": "application/json"})
            answer = connection.getresponse()
            if answer.status != 200:
                raise ApiError(answer.status, answer.read().decode(errors="replace"))
            while line := answer.readline():
                event: dict[str, Any] = json.loads(line)
                if event.get("type") == "ERROR":
                    status = event.get("object", {})
                    raise ApiError(int(status.get("code", 0)), str(status.get("message", "")))
                yield event
        except (OSError, http.client.HTTPException, json.JSONDecodeError) as error:
            raise ApiError(0, str(error)) from error
        finally:
            connection.close()

    def _call(
        self,
        method: str,
        path: str,
        body: Mapping[str, Any] | None,
        kind: str,
        timeout: float | None = None,
    ) -> str:
        connection = self._connect(timeout or self._timeout)
        headers = {"Accept": "application/json, */*"}
        if kind:
            headers["Content-Type"] = kind
        try:
            connection.request(
                method, path, json.dumps(body) if body is not None else None, headers
            )
            answer = connection.getresponse()
            content = answer.read().decode(errors="replace")
        except (OSError, http.client.HTTPException) as error:
            raise ApiError(0, f"no answer from {self.server}: {error}") from error
        finally:
            connection.close()
        if not 200 <= answer.status < 300:
            raise ApiError(answer.status, _message(content) or f"status {answer.status}")
        return content


def segment(name: str) -> str:
    """A name as one segment of a path."""
    return quote(name, safe="")


def _message(content: str) -> str:
    try:
        found = json.loads(content)
    except json.JSONDecodeError:
        return content.strip()[:300]
    return str(found.get("message", "")) if isinstance(found, dict) else content[:300]


def _load_client(context: ssl.SSLContext, certificate: str, key: str) -> None:
    # ssl only reads files: an anonymous one in memory, never the key on a disk
    pem = base64.b64decode(certificate) + b"\n" + base64.b64decode(key)
    if hasattr(os, "memfd_create"):
        descriptor = os.memfd_create("client")
        with os.fdopen(descriptor, "wb") as handle:
            handle.write(pem)
            handle.flush()
            context.load_cert_chain(f"/proc/self/fd/{descriptor}")
        return
    with tempfile.NamedTemporaryFile() as handle:
        handle.write(pem)
        handle.flush()
        context.load_cert_chain(handle.name)
