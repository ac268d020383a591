"""Calls to one API server, each with a time limit.

    cluster = Cluster.open(kubeconfig, context)
    cluster.find("/api/v1/namespaces/mlops")

The client library reads the kubeconfig and proves who we are; its models and generated methods are
left aside, since what is asked here is asked about objects of any kind.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Mapping
from http import HTTPStatus
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from mlops_infra.errors import OperationFailed
from mlops_infra.kube.failures import ApiError, UnreachableError
from mlops_infra.kube.kinds import ACCEPT as KINDS
from mlops_infra.kube.kinds import Kind, read_kinds
from mlops_infra.kube.objects import Object
from mlops_infra.kube.opening import open_client

JSON = "application/json"
MERGE = "application/merge-patch+json"
APPLY = "application/apply-patch+yaml"

CONNECT_SECONDS = 5.0
ANSWER_SECONDS = 10.0
"""Longest silence of a request, where the caller names no other."""

_CONNECTIONS = 8


class Cluster:
    """One API server; safe to share between threads."""

    def __init__(self, api: Any, where: str, *, seconds: float = ANSWER_SECONDS) -> None:
        self.api = api
        """The library's `ApiClient`, for its generated methods."""
        self.where = where
        self.seconds = seconds
        self._kinds: tuple[Kind, ...] | None = None
        self._lock = threading.Lock()
        api.rest_client.pool_manager.connection_pool_kw["maxsize"] = _CONNECTIONS

    @classmethod
    def open(
        cls,
        kubeconfig: Path | str | None,
        context: str | None = None,
        *,
        seconds: float = ANSWER_SECONDS,
    ) -> Cluster:
        """Open by a kubeconfig; with None by this Pod's account or the default kubeconfig.

        Asks nothing of the cluster yet. `seconds` is the longest silence of a request.

        Raises:
            InputError: the kubeconfig is missing, damaged, or does not have the context.
        """
        where = str(kubeconfig or "the default kubeconfig")
        return cls(open_client(kubeconfig, context), where, seconds=seconds)

    def version(self) -> str:
        """The server's version, such as `v1.34.4`; the cheapest proof that it answers."""
        return str(self.get("/version")["gitVersion"])

    def kinds(self, *, fresh: bool = False) -> tuple[Kind, ...]:
        """Every kind in every served version; asked for once unless `fresh`."""
        with self._lock:
            if self._kinds is None or fresh:
                self._kinds = read_kinds(lambda path: self.get(path, accept=KINDS))
            return self._kinds

    def get(
        self,
        path: str,
        query: Mapping[str, str] | None = None,
        *,
        accept: str = JSON,
        tries: int | None = None,
    ) -> dict[str, Any]:
        """GET one JSON document; raises like `send`."""
        return self.send("GET", path, query, accept=accept, tries=tries)

    def find(self, path: str) -> Object | None:
        """GET one object; None where there is none. Raises like `send`."""
        try:
            return self.get(path)
        except ApiError as error:
            if error.status == HTTPStatus.NOT_FOUND:
                return None
            raise

    def log(
        self, namespace: str, pod: str, container: str, *, previous: bool = False, lines: int = 10
    ) -> str:
        """Last lines of a container's log; empty where it has not run. Raises like `send`."""
        query = {"container": container, "tailLines": str(lines)}
        if previous:
            query["previous"] = "true"
        try:
            path = f"/api/v1/namespaces/{namespace}/pods/{pod}/log"
            answer = self._exchange("GET", path, query, None, JSON, "*/*", self.seconds)
        except ApiError as error:
            if error.status in {HTTPStatus.BAD_REQUEST, HTTPStatus.NOT_FOUND}:
                return ""  # no such run, or rotated away
            raise
        return answer.decode(errors="replace")

    def send(
        self,
        method: str,
        path: str,
        query: Mapping[str, str] | None = None,
        *,
        body: Any = None,
        content: str = JSON,
        accept: str = JSON,
        seconds: float | None = None,
        tries: int | None = None,
    ) -> dict[str, Any]:
        """One request, again while the server says that it is too busy.

        Args:
            method: HTTP method.
            path: API path.
            query: its query.
            body: sent as JSON.
            content: content type of the body.
            accept: forms of answer that are understood, all of them JSON.
            seconds: longest silence, where it is not the cluster's.
            tries: how often a server is asked again that is too busy, once a second; None: for
                half a minute.

        Raises:
            ApiError: the server refuses.
            UnreachableError: no connection, or no answer in time.
        """
        data = self._exchange(
            method, path, query, body, content, accept, seconds or self.seconds, tries
        )
        try:
            return dict(json.loads(data))
        except (ValueError, TypeError) as error:
            what = "the API server's response is not JSON"
            raise OperationFailed(what, where=f"{method} {path} at {self.where}") from error

    def _exchange(
        self,
        method: str,
        path: str,
        query: Mapping[str, str] | None,
        body: Any,
        content: str,
        accept: str,
        seconds: float,
        tries: int | None = None,
    ) -> bytes:
        from urllib3 import Timeout
        from urllib3.exceptions import HTTPError

        settings = self.api.configuration
        headers = {"Accept": accept, "Content-Type": content}
        # asked for at every request: it renews a token that ran out
        bearer = settings.get_api_key_with_prefix("BearerToken", alias="authorization")
        if bearer:
            headers["Authorization"] = bearer
        url = settings.host + path + (f"?{urlencode(query)}" if query else "")
        pool = self.api.rest_client.pool_manager
        retries = pool.connection_pool_kw["retries"]
        try:
            answer = pool.request(
                method,
                url,
                headers=headers,
                body=None if body is None else json.dumps(body),
                retries=retries if tries is None else retries.new(status=tries),
                timeout=Timeout(connect=min(CONNECT_SECONDS, seconds), read=seconds),
            )
        except (HTTPError, OSError) as error:
            raise self._unreachable(f"{method} {path}", error) from error
        if answer.status >= HTTPStatus.BAD_REQUEST:
            raise _refused(answer.status, answer.data, f"{method} {path}")
        return bytes(answer.data)

    def _unreachable(self, what: str, error: Exception) -> UnreachableError:
        reason = getattr(error, "reason", None) or error
        return UnreachableError(
            f"the cluster cannot be reached: {reason}",
            where=f"{what} at {self.where}",
            hint="check that it runs and that the kubeconfig is right: kubectl get nodes",
        )


def _refused(status: int, data: bytes, where: str) -> ApiError:
    try:
        read = json.loads(data)
    except ValueError:
        read = {}
    if not isinstance(read, dict):
        read = {}
    text = data[:300].decode(errors="replace").strip()
    message = str(read.get("message") or text or f"HTTP {status}")
    return ApiError(status, str(read.get("reason") or ""), message, where)
