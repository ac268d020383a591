"""The runtime image: what it holds, and that its notebooks let nobody in but their person."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from mlops_infra import images
from mlops_infra.progress import quiet
from tests.charts.rendering import render
from tests.e2e.image_roots import run

root = pytest.mark.skipif(os.geteuid() != 0, reason="entering an image needs root")


@pytest.fixture(scope="module")
def runtime(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the runtime image is unpacked, once for all tests: it has 1.2 GB."""
    folder = tmp_path_factory.mktemp("runtime")
    images.unpack(images.build("runtime", quiet), folder / "runtime")
    return folder


NOTEBOOKS = """
import json, os, subprocess, sys, time, urllib.error, urllib.request

class Stay(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_arguments):
        return None

def asked(address, token):
    headers = {"Authorization": f"token {token}"} if token else {}
    try:
        request = urllib.request.Request(address, headers=headers)
        with urllib.request.build_opener(Stay).open(request, timeout=60) as answer:
            return [answer.status, ""]
    except urllib.error.HTTPError as error:
        return [error.code, error.headers.get("Location", "")]

def until_up(address):
    for _ in range(600):
        try:
            return asked(address, None)
        except OSError:
            time.sleep(0.2)

found, running = [], []
for port, (chart, prefix, config) in enumerate(SERVERS, 8888):
    home = f"/tmp/{chart}"
    os.mkdir(home)
    with open(f"{home}/config.py", "w") as file:
        file.write(config)
    with open("/run/secrets/notebook/token", "w") as file:
        file.write(f"token-of-{chart}")
    variables = {"HOME": home, "NB_PREFIX": prefix, "JUPYTER_RUNTIME_DIR": home,
                 "CULL_KERNEL_SECONDS": "3600", "CULL_TERMINAL_SECONDS": "3600"}
    command = ["python3", "-m", "jupyterlab", f"--config={home}/config.py",
               f"--ServerApp.port={port}"]
    with open(f"{home}/log", "w") as log:
        running.append(subprocess.Popen(command, env={**os.environ, **variables}, cwd=home,
                                        stdout=log, stderr=log))
    base = f"http://127.0.0.1:{port}{prefix}/"
    found.append(["health", chart, "api", *until_up(base + "api")])
    found.append(["health", chart, "login", *asked(base + "login", "")])
    for path in PATHS:
        for kind, _, _ in [*SERVERS, ("nobody", "", "")]:
            token = f"token-of-{kind}" if kind != "nobody" else ""
            found.append([kind, chart, path, *asked(base + path, token)])
with open("/run/secrets/notebook/token", "w"):
    pass
empty = subprocess.run(command, env={**os.environ, **variables}, cwd=home, capture_output=True)
found.append(["empty", chart, empty.stderr.decode()[-200:], empty.returncode, ""])
for each in running:
    each.terminate()
print("FOUND" + json.dumps(found))
"""


@root
def test_a_notebook_of_either_kind_refuses_everybody_but_its_person(runtime: Path) -> None:
    secrets = runtime / "runtime" / "run" / "secrets" / "notebook"
    secrets.mkdir(parents=True)
    secrets.chmod(0o777)
    servers = [
        (chart, prefix, _config(chart))
        for chart, prefix in (
            ("notebooks", "/notebook/demo/kim"),
            ("kubeflow-notebooks", "/notebook/tenant-vision/lee"),
        )
    ]
    paths = ("api/status", "api/contents", "api/kernels", "api/sessions", "api/terminals", "lab")
    paths += ("lab/api/settings", "lab/api/workspaces", "api/kernels/1/channels", "lsp/status")
    program = f"SERVERS = {servers!r}\nPATHS = {paths!r}\n{NOTEBOOKS}"
    said = run("runtime", f"python3 - <<'END'\n{program}\nEND", runtime)
    found = json.loads(said.partition("FOUND")[2].splitlines()[0])
    for asker, server, path, status, location in found:
        where = f"{asker} asks {server} for {path}: {status} {location}"
        if asker == "empty":
            assert status != 0, where
            assert "would let everybody in" in path
        elif asker == "health":
            assert status == 200, where
        elif asker == server:
            assert status in ((200, 400, 404) if path.endswith("channels") else (200,)), where
        else:
            assert status == 403 or (status == 302 and "/login?" in location), where
    assert len(found) == 4 + 1 + 2 * 3 * len(paths)


def _config(chart: str) -> str:
    config: str = next(
        each["data"]["jupyter_server_config.py"]
        for each in render(chart)
        if each["kind"] == "ConfigMap" and "jupyter_server_config.py" in each["data"]
    )
    return config


@root
def test_the_runtime_holds_what_pods_run_and_no_more(runtime: Path) -> None:
    script = """
        mlops-infra --version
        mlops-infra lifecycle --help
        mlops-infra images list || echo "ended with $?"
        python3 -c 'import boto3, evidently, jupyterlab, kubernetes, mlflow'
        python3 -c 'import psycopg, sklearn, skops, starlette, valkey'
        python3 -c 'import mlops_infra.pipelines as p; print(p.__cached__.rpartition("/")[2])'
        cd /tmp; echo 'import numpy, torch' >own.py
        mlops-infra pipeline check own.py || echo "ended with $?"
        test -s /usr/share/doc/mlops-infra/copyright && echo licensed
        """
    said = run("runtime", script, runtime)
    assert "the runtime image has only the commands that run in Pods" in said
    assert "ended with 4" in said
    assert "pipelines.cpython-311.pyc" in said
    assert "licensed" in said
