"""The drift job on logged requests in a real PostgreSQL, with the real Evidently."""

from __future__ import annotations

import datetime
import itertools
import json
import uuid
from functools import partial
from typing import Any

import numpy as np
import pandas as pd
import pytest

from mlops_infra.errors import InputError
from mlops_infra.lifecycle.data.parquet import to_parquet
from mlops_infra.lifecycle.drift import DriftJob, DriftResult, compare, requests, run
from mlops_infra.lifecycle.services import database
from mlops_infra.lifecycle.triggers.declared import DeclaredModel
from mlops_infra.lifecycle.triggers.sensors import PlatformSensors
from mlops_infra.lifecycle.validation import infer
from mlops_infra.progress import quiet
from tests.engine import postgres

pytest.importorskip("evidently", reason="no Evidently: pip install 'mlops-infra[lifecycle]'")
pytest.importorskip("pyarrow", reason="no pyarrow: pip install 'mlops-infra[lifecycle]'")

NOW = datetime.datetime(2026, 3, 2, 12, tzinfo=datetime.UTC)
JOB = DriftJob("demo", "wine", "tenant-demo")
COLUMNS = ["acid", "sugar", "shop"]
_numbers = itertools.count(1)


def wine(rows: int, *, seed: int, shift: float = 0.0) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    return pd.DataFrame(
        {
            "acid": rng.normal(3 + shift, 0.3, rows),
            "sugar": rng.normal(20 + 10 * shift, 2, rows),
            "shop": rng.integers(0, 3, rows),
        }
    )


class Versions:
    """A registry with one champion."""

    def __init__(self, **files: bytes) -> None:
        reference = wine(400, seed=1).assign(label=0)
        schema = infer(reference).to_json().encode()
        self.held = {"reference.parquet": to_parquet(reference), "schema.json": schema, **files}

    def champion(self, model: str) -> str:
        return "3"

    def files(self, model: str, version: str) -> tuple[dict[str, bytes], str, str]:
        return self.held, "label", "f" * 64


class Bucket:
    def __init__(self) -> None:
        self.held: dict[str, bytes] = {}

    def put(self, key: str, body: bytes) -> None:
        self.held[key] = body


@pytest.fixture
def conninfo(postgresql: str) -> str:
    return postgres.fresh(postgresql, f"drift{next(_numbers)}")


def log(conninfo: str, rows: pd.DataFrame, *, role: str = "champion", hours: float = 1) -> None:
    request = {
        "inputs": [
            {"name": name, "shape": [len(rows)], "datatype": "FP64", "data": rows[name].tolist()}
            for name in rows.columns
        ]
    }
    with database.connect(conninfo) as connection:
        connection.execute(
            "INSERT INTO prediction (prediction_id, role, tenant, model, version, server, at, "
            "latency_ms, status, request) "
            "VALUES (%s, %s, 'demo', 'wine', '3', 's', %s, 1, 200, %s)",
            (uuid.uuid4(), role, NOW - datetime.timedelta(hours=hours), json.dumps(request)),
        )


def look(conninfo: str, bucket: Any = None, versions: Any = None) -> DriftResult:
    connect = partial(database.connect, conninfo)
    return run(
        JOB, connect=connect, versions=versions or Versions(), objects=bucket, sink=quiet, now=NOW
    )


def test_shifted_requests_are_drift_and_the_triggers_see_it(conninfo: str) -> None:
    log(conninfo, wine(200, seed=2, shift=1.0))
    log(conninfo, wine(5000, seed=3), role="shadow")
    log(conninfo, wine(5000, seed=3), hours=30)
    bucket = Bucket()
    result = look(conninfo, bucket)
    assert (result.rows, result.judged, result.drifted, result.version) == (200, True, True, "3")
    assert {c.name: c.drifted for c in result.columns} == {
        "acid": True, "sugar": True, "shop": False,
    }  # fmt: skip
    assert any(finding.startswith("acid: outside") for finding in result.findings)
    html, text = bucket.held["drift/wine/3/20260302T120000Z.html"], None
    assert b"<html" in html[:2000].lower()
    text = json.loads(bucket.held["drift/wine/3/20260302T120000Z.json"])
    assert text["id"] == result.id
    sensors = PlatformSensors(partial(database.connect, conninfo))
    seen = sensors.drift(DeclaredModel("demo", "wine", "tenant-demo", "p"))
    assert seen is not None
    assert (seen["id"], seen["drifted"], seen["columns"]) == (result.id, True, ["acid", "sugar"])


def test_requests_like_the_reference_are_no_drift(conninfo: str) -> None:
    log(conninfo, wine(200, seed=4))
    result = look(conninfo)
    assert (result.judged, result.drifted, result.findings) == (True, False, ())
    # the second look takes the reference from the database: MLflow may have lost it
    again = look(conninfo, versions=Versions(**{"reference.parquet": b"gone"}))
    assert [c.score for c in again.columns] == [c.score for c in result.columns]


def test_too_few_requests_say_nothing(conninfo: str) -> None:
    log(conninfo, wine(10, seed=5, shift=5.0))
    result = look(conninfo)
    assert (result.rows, result.judged, result.drifted) == (10, False, False)
    with database.connect(conninfo) as connection:
        assert connection.execute("SELECT count(*) FROM drift_result").fetchone() == (0,)


def test_a_version_without_reference_data_is_told(conninfo: str) -> None:
    versions = Versions()
    del versions.held["reference.parquet"]
    with pytest.raises(InputError, match="has no reference data"):
        look(conninfo, versions=versions)


def test_many_rows_are_compared_by_distance_so_that_trifles_are_no_drift() -> None:
    columns = compare(wine(4000, seed=6, shift=0.01), wine(4000, seed=7)).columns
    assert {c.method.split()[0] for c in columns} == {"wasserstein", "jensenshannon"}
    assert not any(c.drifted for c in columns)
    shifted = compare(wine(4000, seed=6, shift=1.0), wine(4000, seed=7))
    assert shifted.share == pytest.approx(2 / 3)


def test_requests_of_one_nameless_tensor_get_the_models_columns() -> None:
    body = {
        "inputs": [{"name": "x", "shape": [2, 3], "datatype": "FP64", "data": [1, 2, 3, 4, 5, 6]}]
    }
    table = requests.table([body, {"inputs": []}], COLUMNS)
    assert table.to_dict("list") == {"acid": [1, 4], "sugar": [2, 5], "shop": [3, 6]}
