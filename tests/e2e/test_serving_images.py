"""The images that models run in read what the program's own libraries wrote, as no root."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.e2e.image_roots import run

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="entering an image needs root")

_SERVE = """
cat > /tmp/serve.py <<'END'
import json, os, subprocess, sys, time, urllib.request
models, rows = json.loads(sys.argv[1]), json.loads(sys.argv[2])
folder = "/mnt/models"
settings = {
    "HTTP_PORT": "8080", "GRPC_PORT": "9000", "METRICS_PORT": "8082", "PARALLEL_WORKERS": "0",
    "METRICS_DIR": "/tmp/metrics", "ENVIRONMENTS_DIR": "/tmp/envs",
}
if len(models) == 1:
    # as KServe's runtime says it
    (name, (kind, uri)), = models.items()
    settings |= {"MODEL_NAME": name, "MODEL_URI": uri, "MODEL_IMPLEMENTATION": kind}
else:
    folder = "/tmp/models"
    for name, (kind, uri) in models.items():
        os.makedirs(f"{folder}/{name}")
        with open(f"{folder}/{name}/model-settings.json", "w") as file:
            json.dump({"name": name, "implementation": kind, "parameters": {"uri": uri}}, file)
env = {**os.environ, **{f"MLSERVER_{k}": v for k, v in settings.items()}}
log = open("/tmp/log", "w+")
server = subprocess.Popen(["mlserver", "start", folder], env=env, stdout=log, stderr=log)
def get(path, body=None, port=8080):
    request = urllib.request.Request(f"http://127.0.0.1:{port}{path}", data=body)
    request.add_header("Content-Type", "application/json")
    try:
        return urllib.request.urlopen(request, timeout=20).read().decode()
    except urllib.error.HTTPError as error:
        if body is None:
            raise
        sys.exit(f"{error} {error.read()}\\n" + open("/tmp/log").read()[-2500:])
def wait(name):
    for _ in range(600):
        try:
            return get(f"/v2/models/{name}/ready")
        except OSError:
            if server.poll() is not None:
                sys.exit("ended\\n" + open("/tmp/log").read())
            time.sleep(0.1)
    sys.exit("not ready\\n" + open("/tmp/log").read())
def tensor(name, columns):
    flat = [value for row in rows for value in row[columns]]
    shape = [len(rows), len(flat) // len(rows)]
    return {"name": name, "shape": shape, "datatype": "FP64", "data": flat}
def answer(name, kind):
    wait(name)
    # a model with a signature takes its columns by name
    named = kind == "mlserver_mlflow.MLflowRuntime"
    every = [tensor(f"c{i}", slice(i, i + 1)) for i in range(len(rows[0]))]
    body = json.dumps({"inputs": every if named else [tensor("x", slice(None))]}).encode()
    return json.loads(get(f"/v2/models/{name}/infer", body))["outputs"][0]["data"]
answers = {name: answer(name, kind) for name, (kind, uri) in models.items()}
metrics = get("/metrics", port=8082)
assert "rest_server_requests" in metrics, metrics[:500]
print(json.dumps(answers))
server.terminate()
END
cd /tmp
"""


@pytest.fixture(scope="module")
def roots(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where images are unpacked, each once."""
    return tmp_path_factory.mktemp("roots")


def _served(
    folder: Path, models: Mapping[str, tuple[str, str]], rows: list[list[float]], before: str = ""
) -> dict[str, list[float]]:
    """What MLServer answers for each model: name to implementation and path, `before` run first."""
    script = (
        f"{_SERVE}\n{before}\npython3 /tmp/serve.py '{json.dumps(models)}' '{json.dumps(rows)}'"
    )
    found: dict[str, list[float]] = json.loads(run("mlserver", script, folder).splitlines()[-1])
    return found


_TRAIN = """
import json, sys
import mlflow, numpy, pandas
from sklearn.ensemble import RandomForestClassifier
rows = pandas.DataFrame(numpy.random.default_rng(1).normal(size=(60, 4))).add_prefix("c")
forest = RandomForestClassifier(n_estimators=5, random_state=1)
forest.fit(rows, (rows.sum(axis=1) > 0).astype(int))
signature = mlflow.models.infer_signature(rows, forest.predict(rows))
trusted = ["sklearn.tree._tree.Tree"]
mlflow.sklearn.save_model(forest, sys.argv[1], signature=signature, skops_trusted_types=trusted)
print(json.dumps([rows[:7].values.tolist(), forest.predict(rows[:7]).tolist()]))
"""


def test_mlserver_reads_a_model_that_this_programs_mlflow_wrote(roots: Path) -> None:
    run("mlserver", "test $(id -u) = 65532", roots)
    folder = roots / "mlserver" / "mnt" / "models"
    # a program of its own: mlflow warns while it is imported
    done = subprocess.run(
        [sys.executable, "-c", _TRAIN, str(folder)], check=True, capture_output=True, text=True
    )
    rows, local = json.loads(done.stdout.splitlines()[-1])
    served = _served(roots, {"m": ("mlserver_mlflow.MLflowRuntime", "/mnt/models")}, rows)
    assert served["m"] == local


def test_mlserver_serves_the_other_formats(roots: Path) -> None:
    train = """
import joblib, lightgbm, numpy, sklearn.linear_model, xgboost
rows = numpy.random.default_rng(1).normal(size=(200, 4))
target = rows.sum(axis=1)
joblib.dump(sklearn.linear_model.LinearRegression().fit(rows, target), "/tmp/model.joblib")
xgboost.XGBRegressor(n_estimators=20).fit(rows, target).save_model("/tmp/model.json")
trees = lightgbm.LGBMRegressor(n_estimators=20, verbose=-1).fit(rows, target)
trees.booster_.save_model("/tmp/model.bst")
"""
    models = {
        "sklearn": ("mlserver_sklearn.SKLearnModel", "/tmp/model.joblib"),
        "xgboost": ("mlserver_xgboost.XGBoostModel", "/tmp/model.json"),
        "lightgbm": ("mlserver_lightgbm.LightGBMModel", "/tmp/model.bst"),
    }
    rows = [[0.5, 0.5, 0.5, 0.5], [-0.5, -0.5, -0.5, -0.5]]
    found = _served(roots, models, rows, before=f"python3 -c '{train}'")
    for name, (high, low) in found.items():
        assert high > 0.5 > -0.5 > low, name


def test_the_storage_initializer_tells_what_it_wants(roots: Path) -> None:
    script = "set +e; storage-initializer; storage-initializer s3://one; echo $?"
    told = run("kserve-storage", script, roots)
    assert "SOURCE FOLDER" in told
    assert told.splitlines()[-1] == "1"
    assert run("kserve-storage", "id -u", roots).strip() == "65532"
