"""An API server that stops answering ends a run with an error, not with a hang."""

from __future__ import annotations

import contextlib
import json
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from mlops_infra.kube import UnreachableError
from mlops_infra.lifecycle.verify import cron_jobs
from mlops_infra.lifecycle.verify.cron_jobs import JobRuns

LATE_SECONDS = 1.5
POD = {"name": "job-x", "creationTimestamp": "2026-01-01T00:00:00Z"}
TEMPLATE = {"spec": {"containers": [{"name": "main", "image": "i", "command": ["run"]}]}}
ANSWERS: dict[str, Any] = {
    "GET cronjobs": {
        "spec": {"schedule": "@daily", "jobTemplate": {"spec": {"template": TEMPLATE}}}
    },
    "POST jobs": {},
    "GET jobs": {"status": {"succeeded": 1}},
    "GET pods": {"items": [{"metadata": POD, "spec": TEMPLATE["spec"]}]},
    "GET log": "{\n}\n",
    "DELETE jobs": {},
}


class FakeApiServer(BaseHTTPRequestHandler):
    """Answers at once, but for the one request that is late."""

    late = ""

    def _asked(self) -> None:
        path = self.path.partition("?")[0]
        known = ("log", "cronjobs", "jobs", "pods")
        what = f"{self.command} {next(word for word in known if word in path)}"
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        if what == self.late:
            time.sleep(LATE_SECONDS)
        answer = ANSWERS[what]
        text = (answer if isinstance(answer, str) else json.dumps(answer)).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    do_GET = do_POST = do_DELETE = _asked  # noqa: N815 - the library's names

    def log_message(self, *_: Any) -> None:
        pass

    def handle(self) -> None:
        with contextlib.suppress(ConnectionError):  # whoever asked has given up
            super().handle()


@pytest.fixture
def kubeconfig(tmp_path: Path) -> Iterator[Path]:
    http = ThreadingHTTPServer(("127.0.0.1", 0), FakeApiServer)
    thread = threading.Thread(target=http.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    file = tmp_path / "kubeconfig"
    url = f"http://127.0.0.1:{http.server_port}"
    named = {"name": "x", "cluster": {"server": url}, "user": {}, "context": {}}
    contexts = [{"name": "x", "context": {"cluster": "x", "user": "x"}}]
    file.write_text(
        json.dumps(
            {"clusters": [named], "users": [named], "contexts": contexts, "current-context": "x"}
        )
    )
    yield file
    http.shutdown()
    thread.join()
    http.server_close()


@pytest.mark.parametrize("late", ["GET pods", "GET log", "DELETE jobs"])
def test_a_silent_api_server_ends_a_run(
    kubeconfig: Path, monkeypatch: pytest.MonkeyPatch, late: str
) -> None:
    monkeypatch.setattr(cron_jobs, "_SECONDS", 0.1)
    monkeypatch.setattr(FakeApiServer, "late", late)
    with pytest.raises(UnreachableError):
        JobRuns(kubeconfig, None).run("lifecycle", "drift")


def test_a_run_ends_well_when_the_api_server_answers(kubeconfig: Path) -> None:
    assert JobRuns(kubeconfig, None).run("lifecycle", "drift") == {}
