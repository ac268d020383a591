"""A step imports what it needs: the rest would be most of the time of a short one."""

from __future__ import annotations

import base64
import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

PIPELINE = "tabular-classification"
HEAVY = {"boto3", "botocore", "kubernetes", "mlflow", "pandas", "sklearn"}
STEP = f"""
import sys
from mlops_infra.cli.main import run
code = run(sys.argv[1:])
print(",".join(sorted({HEAVY} & set(sys.modules))))
sys.exit(code)
"""
REGISTRATION = {"run_id": "r7", "model": "wine", "version": "4"}


class Answering(BaseHTTPRequestHandler):
    """MLflow's REST API, as far as the end of a run needs it."""

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        told = (self.path.removeprefix("/api/2.0/mlflow/"), self.headers["Authorization"], body)
        self.server.told.append(told)  # type: ignore[attr-defined]
        self.send_response(self.server.status)  # type: ignore[attr-defined]
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"{}")

    def log_message(self, *_: object) -> None:
        """Nothing: the test reads what was told."""


@contextmanager
def mlflow(status: int = 200) -> Iterator[tuple[str, list[Any]]]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Answering)
    server.told, server.status = [], status  # type: ignore[attr-defined]
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", server.told  # type: ignore[attr-defined]
    finally:
        server.shutdown()
        server.server_close()


def step(entry: str, *words: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """The process of one step, as its Pod starts it."""
    arguments = ("step", entry, "--pipeline", PIPELINE, "--step", entry, "--run", "one", *words)
    return subprocess.run(
        [sys.executable, "-c", STEP, *arguments],
        env={**os.environ, **variables},
        capture_output=True,
        text=True,
        check=False,
    )


def imported(done: subprocess.CompletedProcess[str]) -> set[str]:
    assert done.returncode == 0, done.stderr
    return set(filter(None, done.stdout.splitlines()[-1].split(",")))


def ending(folder: Path, uri: str) -> subprocess.CompletedProcess[str]:
    registration = folder / "registration"
    registration.write_text(json.dumps(REGISTRATION))
    return step(
        *("finish", "--status", "Failed", "--in", f"registration={registration}"),
        *("--out", f"status={folder / 'status'}"),
        MLFLOW_TRACKING_URI=uri,
        MLFLOW_TRACKING_USERNAME="demo",
        MLFLOW_TRACKING_PASSWORD="s3cret",
    )


def test_the_end_of_a_run_is_written_to_mlflow_without_its_client(tmp_path: Path) -> None:
    with mlflow() as (uri, told):
        assert imported(ending(tmp_path, uri)) == set()
    login = "Basic " + base64.b64encode(b"demo:s3cret").decode()
    (tag, update) = told
    sent = {"run_id": "r7", "key": "mlops-infra.pipeline_status", "value": "Failed"}
    assert tag == ("runs/set-tag", login, sent)
    assert update[:2] == ("runs/update", login)
    assert update[2].pop("end_time") > 1.7e12
    assert update[2] == {"run_id": "r7", "status": "FAILED"}
    status = json.loads((tmp_path / "status").read_text())
    assert status == {
        "pipeline": PIPELINE,
        "run": "one",
        "status": "Failed",
        "registration": REGISTRATION,
    }


def test_an_end_that_mlflow_does_not_take_may_be_tried_again(tmp_path: Path) -> None:
    with mlflow(status=403) as (uri, _):
        done = ending(tmp_path, uri)
    assert done.returncode == 1
    assert "MLflow did not close the run: 403" in done.stderr
    assert "allowedHosts" in done.stderr
    assert "s3cret" not in done.stderr
    assert not (tmp_path / "status").exists()


def test_a_promotion_that_nobody_asked_for_imports_nothing(tmp_path: Path) -> None:
    registration = tmp_path / "registration"
    registration.write_text(json.dumps(REGISTRATION))
    policy = ("metric=accuracy", "min_improvement=0", "shadow_seconds=0", "canary=10")
    given = ("promote=false", *policy, "canary_seconds=0")
    done = step(
        *("promote", *(word for pair in given for word in ("-p", pair))),
        *("--in", f"registration={registration}", "--out", f"decision={tmp_path / 'decision'}"),
    )
    assert imported(done) == set()
    assert json.loads((tmp_path / "decision").read_text())["outcome"] == "skipped"


def test_a_table_is_validated_without_the_libraries_of_models(tmp_path: Path) -> None:
    rows = "".join(f"{number},{number % 2}\n" for number in range(40))
    (tmp_path / "rows.csv").write_text(f"x,target\n{rows}")
    given = (f"data={tmp_path / 'rows.csv'}", "target=target", "schema=")
    outputs = [f"{name}={tmp_path / name}" for name in ("table", "facts", "schema")]
    done = step(
        *("validate", *(word for pair in given for word in ("-p", pair))),
        *(word for pair in outputs for word in ("--out", pair)),
    )
    assert imported(done) == {"pandas"}
