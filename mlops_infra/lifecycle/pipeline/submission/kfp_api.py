"""Client of the v2beta1 REST API of Kubeflow Pipelines, for one tenant's namespace.

    api = PipelinesApi(channel, "tenant-demo")
    run = api.start(version, "run-1", {"algorithm": "forest"})

Who asks is told by a token (see `kfp_channel`); what it may do is decided by Kubernetes.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Protocol
from urllib.parse import quote, urlencode

from mlops_infra.errors import InputError, OperationFailed

BASE = "/apis/v2beta1"
PAGE = 100
_BOUNDARY = "mlops-infra-pipeline"
_REFUSED = (HTTPStatus.BAD_REQUEST, HTTPStatus.FORBIDDEN, HTTPStatus.NOT_FOUND)
"""Answers that will not change when the same is asked again."""

Document = dict[str, Any]


class Channel(Protocol):
    """The way to the API server of Kubeflow Pipelines."""

    where: str
    """For errors."""

    def send(
        self, method: str, path: str, body: bytes | None, headers: Mapping[str, str]
    ) -> tuple[int, bytes]:
        """One request with the tenant's token; status and body. Raises `OperationFailed`."""


@dataclass(frozen=True, slots=True)
class Version:
    """A pipeline as the server keeps it."""

    pipeline: str
    version: str

    def as_dict(self) -> dict[str, str]:
        """As the API writes it."""
        return {"pipeline_id": self.pipeline, "pipeline_version_id": self.version}


class PipelinesApi:
    """Pipelines, runs and recurring runs of one namespace.

    All methods raise `InputError` where the server refuses for good, and `OperationFailed` where it
    does not answer or fails.
    """

    def __init__(self, channel: Channel, namespace: str) -> None:
        self._channel = channel
        self.namespace = namespace

    def version(self, name: str, version: str, document: str) -> Version:
        """The version of that name of a pipeline; uploaded where the server has none.

        Args:
            name: of the pipeline.
            version: its name, which tells the content: one that is there is taken as it is.
            document: the IR as YAML.
        """
        pipeline = self._pipeline(name)
        path = f"/pipelines/{quote(pipeline)}/versions"
        for each in self._all(path, "pipeline_versions", _named(version)):
            return Version(pipeline, str(each["pipeline_version_id"]))
        query = urlencode({"name": version, "pipelineid": pipeline})
        made = self._upload(f"/pipelines/upload_version?{query}", f"{version}.yaml", document)
        return Version(pipeline, str(made["pipeline_version_id"]))

    def experiment(self, name: str) -> str:
        """Id of an experiment of the namespace; made where there is none."""
        query = {**_named(name), "namespace": self.namespace}
        for each in self._all("/experiments", "experiments", query):
            return str(each["experiment_id"])
        body = {"display_name": name, "namespace": self.namespace}
        return str(self._ask("POST", "/experiments", body)["experiment_id"])

    def start(
        self, version: Version, name: str, parameters: Mapping[str, Any], experiment: str
    ) -> Document:
        """Start a run; the server gives it an id."""
        return self._ask("POST", "/runs", _wanted(version, name, parameters, experiment))

    def run(self, run: str) -> Document:
        """A run with its tasks."""
        return self._ask("GET", f"/runs/{quote(run)}")

    def runs(self, name: str) -> list[Document]:
        """The runs of that name; names need not be unique."""
        return list(self._all("/runs", "runs", {**_named(name), "namespace": self.namespace}))

    def stop(self, run: str) -> None:
        """End a run; steps that run are stopped."""
        self._ask("POST", f"/runs/{quote(run)}:terminate")

    def repeat(
        self,
        version: Version,
        name: str,
        parameters: Mapping[str, Any],
        experiment: str,
        cron: str,
    ) -> Document:
        """Start runs by a schedule, one at a time; times that were missed are not caught up.

        Args:
            version: what to run.
            name: of the recurring run.
            parameters: of each run.
            experiment: id of its experiment.
            cron: six fields, seconds first.
        """
        body = _wanted(version, name, parameters, experiment) | {
            "namespace": self.namespace,
            "mode": "ENABLE",
            "max_concurrency": "1",
            "no_catchup": True,
            "trigger": {"cron_schedule": {"cron": cron}},
        }
        return self._ask("POST", "/recurringruns", body)

    def repeated(self) -> list[Document]:
        """The recurring runs of the namespace."""
        return list(self._all("/recurringruns", "recurringRuns", {"namespace": self.namespace}))

    def end_repeating(self, recurring: str) -> None:
        """Delete a recurring run; its runs stay, also one that has not ended.

        Unasked, Kubernetes would delete the Workflows that it has started, with their Pods.
        """
        self._ask("DELETE", f"/recurringruns/{quote(recurring)}?propagation_policy=ORPHAN")

    def _pipeline(self, name: str) -> str:
        query = urlencode({"namespace": self.namespace})
        found = self._find(f"/pipelines/names/{quote(name)}?{query}")
        if found is None:
            body = {"name": name, "display_name": name, "namespace": self.namespace}
            found = self._ask("POST", "/pipelines", body)
        return str(found["pipeline_id"])

    def _upload(self, path: str, file: str, document: str) -> Document:
        head = f'Content-Disposition: form-data; name="uploadfile"; filename="{file}"'
        text = f"--{_BOUNDARY}\r\n{head}\r\n\r\n{document}\r\n--{_BOUNDARY}--\r\n"
        content = f"multipart/form-data; boundary={_BOUNDARY}"
        return self._answer("POST", path, text.encode(), content)

    def _all(self, path: str, key: str, query: Mapping[str, str]) -> Iterator[Document]:
        token = ""
        while True:
            asked = {**query, "page_size": str(PAGE), **({"page_token": token} if token else {})}
            page = self._ask("GET", f"{path}?{urlencode(asked)}")
            yield from page.get(key) or ()
            token = str(page.get("next_page_token") or "")
            if not token:
                return

    def _find(self, path: str) -> Document | None:
        status, answer = self._exchange("GET", path, None, "application/json")
        if status == HTTPStatus.NOT_FOUND:
            return None
        return self._read(status, answer, f"GET {path}")

    def _ask(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> Document:
        data = None if body is None else json.dumps(body).encode()
        return self._answer(method, path, data, "application/json")

    def _answer(self, method: str, path: str, body: bytes | None, content: str) -> Document:
        status, answer = self._exchange(method, path, body, content)
        return self._read(status, answer, f"{method} {path.partition('?')[0]}")

    def _exchange(
        self, method: str, path: str, body: bytes | None, content: str
    ) -> tuple[int, bytes]:
        return self._channel.send(method, BASE + path, body, {"Content-Type": content})

    def _read(self, status: int, answer: bytes, what: str) -> Document:
        try:
            read = json.loads(answer or b"{}")
        except ValueError:
            read = None
        if status >= HTTPStatus.BAD_REQUEST:
            message = read.get("message") or read.get("error_message") if read else None
            raise self._failed(status, str(message or answer.decode(errors="replace")[:200]), what)
        if not isinstance(read, dict):
            raise OperationFailed("Kubeflow Pipelines' answer is not JSON", where=self._where(what))
        return read

    def _failed(self, status: int, message: str, what: str) -> InputError | OperationFailed:
        kind = InputError if status in _REFUSED else OperationFailed
        return kind(
            f"Kubeflow Pipelines refused: HTTP {status} {message}",
            where=self._where(what),
            hint=_HINTS.get(status, "mlops-infra status -s STACK shows its Pods"),
        )

    def _where(self, what: str) -> str:
        return f"{what} at {self._channel.where}, namespace {self.namespace}"


def _wanted(
    version: Version, name: str, parameters: Mapping[str, Any], experiment: str
) -> Document:
    return {
        "display_name": name,
        "experiment_id": experiment,
        "pipeline_version_reference": version.as_dict(),
        "runtime_config": {"parameters": dict(parameters)},
    }


def _named(name: str) -> dict[str, str]:
    """The query that leaves what has this name."""
    test = {"key": "display_name", "operation": "EQUALS", "string_value": name}
    return {"filter": json.dumps({"predicates": [test]})}


_HINTS: dict[int, str] = {
    HTTPStatus.UNAUTHORIZED: "its token is refused: check that up has run with this release",
    HTTPStatus.FORBIDDEN: "this account may not run pipelines for the tenant",
    HTTPStatus.NOT_FOUND: "it may have been deleted",
}
