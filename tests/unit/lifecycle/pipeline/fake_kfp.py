"""A fake of the API server of Kubeflow Pipelines 2.17: the part of v2beta1 that the client uses.

Shapes, names of fields and refusals are those of upstream's OpenAPI document and of its multi-user
mode: who asks is told by a token alone, and has rights in one namespace.
"""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import yaml

from mlops_infra.lifecycle.pipeline.submission.tenancy import Tenancy

Answer = tuple[int, dict[str, Any]]


def refusal(status: int, code: int, message: str) -> Answer:
    """An error as grpc-gateway writes it."""
    return status, {"code": code, "message": message, "details": []}


@dataclass
class FakeKfp:
    """What the server keeps."""

    tokens: dict[str, str]
    """Namespace in which the owner of a token has rights."""
    pipelines: dict[str, dict[str, Any]] = field(default_factory=dict)
    versions: dict[str, dict[str, Any]] = field(default_factory=dict)
    experiments: dict[str, dict[str, Any]] = field(default_factory=dict)
    runs: dict[str, dict[str, Any]] = field(default_factory=dict)
    recurring: dict[str, dict[str, Any]] = field(default_factory=dict)
    script: list[dict[str, Any]] = field(default_factory=list)
    """What a run becomes at each look."""
    page: int = 100
    asked: list[str] = field(default_factory=list)

    def answer(self, method: str, url: str, body: bytes, token: str) -> Answer:
        """One request."""
        parts = urlsplit(url)
        path = unquote(parts.path).removeprefix("/apis/v2beta1")
        query = {key: values[0] for key, values in parse_qs(parts.query).items()}
        self.asked.append(f"{method} {path}")
        space = self.tokens.get(token)
        if space is None:
            return refusal(401, 16, "Failed to check authorization")
        multipart = b"form-data" in body
        given = {} if multipart or not body else json.loads(body)
        wanted = given.get("namespace") or query.get("namespace")
        if wanted not in (None, space):
            return refusal(403, 7, f"not authorized: namespace {wanted}")
        for pattern, call in _ROUTES.items():
            if match := re.fullmatch(pattern, f"{method} {path}"):
                found = call(self, space, given or query, body.decode(), *match.groups())
                return found if isinstance(found, tuple) else (200, found)
        return refusal(404, 5, f"Not Found: {method} {path}")

    def add(self, kind: str, document: dict[str, Any]) -> dict[str, Any]:
        """Keep something under a new id."""
        held: dict[str, dict[str, Any]] = getattr(self, kind)
        key = _IDS[kind]
        document[key] = f"{kind}-{len(held) + 1}"
        held[document[key]] = document
        return document

    def listed(self, kind: str, space: str, query: dict[str, str], key: str = "") -> dict[str, Any]:
        """One page of what the namespace has, by the filter."""
        found = [each for each in getattr(self, kind).values() if each["namespace"] == space]
        if "filter" in query:
            (test,) = json.loads(query["filter"])["predicates"]
            assert test["operation"] == "EQUALS"
            found = [each for each in found if each[test["key"]] == test["string_value"]]
        first = int(query.get("page_token") or 0)
        last = first + min(self.page, int(query["page_size"]))
        more = {"next_page_token": str(last)} if last < len(found) else {}
        # protobuf writes no empty lists
        return {**({key or kind: found[first:last]} if found[first:last] else {}), **more}

    def _named(self, space: str, _: Any, __: str, name: str) -> Any:
        for each in self.pipelines.values():
            if (each["name"], each["namespace"]) == (name, space):
                return each
        return refusal(404, 5, f"pipeline {name} not found")

    def _make_version(self, space: str, query: dict[str, str], body: str) -> Any:
        text = body.split("\r\n\r\n", 1)[1].rsplit("\r\n--", 1)[0]
        spec = next(yaml.safe_load_all(text))
        made = {"display_name": query["name"], "name": query["name"], "namespace": space}
        return self.add(
            "versions", {**made, "pipeline_id": query["pipelineid"], "pipeline_spec": spec}
        )

    def _start(self, space: str, given: dict[str, Any], _: str) -> Any:
        experiment = self.experiments.get(given.get("experiment_id", ""))
        if experiment is None:
            return refusal(400, 3, "Experiment id can not be empty in multi-user mode")
        if experiment["namespace"] != space:
            return refusal(403, 7, "not authorized")
        return self.add("runs", {**given, "namespace": space, "state": "PENDING"})

    def _own(self, kind: str, space: str, key: str) -> Any:
        found = getattr(self, kind).get(key)
        if found is None:
            return refusal(404, 5, f"{key} not found")
        return found if found["namespace"] == space else refusal(403, 7, "not authorized")

    def _look(self, space: str, _: Any, __: str, run: str) -> Any:
        found = self._own("runs", space, run)
        if isinstance(found, dict) and self.script:
            found |= self.script.pop(0)
        return found

    def _stop(self, space: str, _: Any, __: str, run: str) -> Any:
        found = self._own("runs", space, run)
        if isinstance(found, tuple):
            return found
        found["state"] = "CANCELING"
        return {}

    def _repeat(self, space: str, given: dict[str, Any], _: str) -> Any:
        return self.add("recurring", {**given, "namespace": space, "status": "ENABLED"})

    def _end(self, space: str, query: dict[str, str], __: str, key: str) -> Any:
        found = self._own("recurring", space, key)
        if isinstance(found, tuple):
            return found
        if query.get("propagation_policy") != "ORPHAN":
            # Kubernetes deletes the Workflows of its runs: nothing works on them any more
            started = [run for run in self.runs.values() if run.get("recurring_run_id") == key]
            for run in started:
                run["workflow"] = None
        return self.recurring.pop(key) and {}


_IDS = {
    "pipelines": "pipeline_id",
    "versions": "pipeline_version_id",
    "experiments": "experiment_id",
    "runs": "run_id",
    "recurring": "recurring_run_id",
}
_ROUTES: dict[str, Any] = {
    r"GET /pipelines/names/([^/]+)": FakeKfp._named,
    r"POST /pipelines": lambda s, space, given, _: s.add("pipelines", {**given}),
    r"GET /pipelines/[^/]+/versions": lambda s, space, query, _: s.listed(
        "versions", space, query, "pipeline_versions"
    ),
    r"POST /pipelines/upload_version": FakeKfp._make_version,
    r"GET /experiments": lambda s, space, query, _: s.listed("experiments", space, query),
    r"POST /experiments": lambda s, space, given, _: s.add("experiments", {**given}),
    r"GET /runs": lambda s, space, query, _: s.listed("runs", space, query),
    r"POST /runs": FakeKfp._start,
    r"GET /runs/([^/:]+)": FakeKfp._look,
    r"POST /runs/([^/:]+):terminate": FakeKfp._stop,
    r"GET /recurringruns": lambda s, space, query, _: s.listed(
        "recurring", space, query, "recurringRuns"
    ),
    r"POST /recurringruns": FakeKfp._repeat,
    r"DELETE /recurringruns/([^/]+)": FakeKfp._end,
}


@contextmanager
def serving(fake: FakeKfp) -> Iterator[str]:
    """The fake at a loopback address; its URL."""

    class Handler(BaseHTTPRequestHandler):
        def _answer(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            if "multipart/form-data" in self.headers.get("Content-Type", ""):
                assert b'name="uploadfile"' in body
            token = self.headers.get("Authorization", "").removeprefix("Bearer ")
            status, document = fake.answer(self.command, self.path, body, token)
            data = json.dumps(document).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        do_GET = do_POST = do_DELETE = _answer  # noqa: N815 - names of http.server

        def log_message(self, *_: Any) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


@dataclass
class FakeKubernetes:
    """A cluster that makes tokens."""

    made: list[tuple[str, Any]] = field(default_factory=list)

    def send(self, _method: str, path: str, *, body: Any) -> dict[str, Any]:
        self.made.append((path, body["spec"]["audiences"]))
        return {"status": {"token": f"token-of-{path.split('/')[4]}"}}


class FakeTenancy(Tenancy):
    """A tenant whose cluster makes tokens; the server is at its endpoint."""

    kubernetes = FakeKubernetes()

    def _cluster(self) -> Any:
        return self.kubernetes
