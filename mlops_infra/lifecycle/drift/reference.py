"""What a version was trained on: kept in PostgreSQL, taken there from the version's MLflow run."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from mlops_infra.errors import InputError
from mlops_infra.lifecycle.data.parquet import from_parquet
from mlops_infra.lifecycle.drift.requests import Connect
from mlops_infra.lifecycle.validation import TableSchema
from mlops_infra.lifecycle.validation.schema import from_json

if TYPE_CHECKING:
    import pandas as pd

FILE, SCHEMA = "reference.parquet", "schema.json"
"""Artefacts of a run, below `pipeline/`, as the step `register` writes them."""
MOST_ROWS = 5000
"""Kept in the table: a sample of this size tells as much as all."""
_READ = "SELECT rows, columns FROM reference_data WHERE tenant = %s AND model = %s AND version = %s"
_WRITE = (
    "INSERT INTO reference_data (tenant, model, version, data, columns, rows, source) "
    "VALUES (%s, %s, %s, %s, %s, %s, %s) ON CONFLICT DO NOTHING"
)


@dataclass(frozen=True, slots=True)
class Reference:
    """The inputs that a version learnt from, and the rules that they keep."""

    version: str
    inputs: pd.DataFrame
    schema: TableSchema | None


class Versions(Protocol):
    """Where versions and their files are found; `champions.MlflowChampions` is one."""

    def champion(self, model: str) -> str:
        """The version that serves."""

    def files(self, model: str, version: str) -> tuple[dict[str, bytes], str, str]:
        """Small files of the version's run, the name of its label, the fingerprint of its data."""


def load(connect: Connect, versions: Versions, tenant: str, model: str) -> Reference:
    """The reference of the champion.

    Raises:
        InputError: no version is champion, or its run kept no reference.
        OperationFailed: a service does not answer.
    """
    version = versions.champion(model)
    files, target, data = versions.files(model, version)
    schema = files.get(SCHEMA)
    rules = from_json(schema.decode(), SCHEMA).without(target) if schema else None
    with connect() as connection:
        row = connection.execute(_READ, (tenant, model, version)).fetchone()
    if row is None:
        inputs = _inputs(files, target, f"{model}/{version}")
        _keep(connect, tenant, model, version, inputs, data)
    else:
        inputs = _frame(*row)
    return Reference(version, inputs, rules)


def _inputs(files: dict[str, bytes], target: str, where: str) -> pd.DataFrame:
    if FILE not in files:
        raise InputError(
            f"the run of {where} has no reference data",
            where=f"artefact pipeline/{FILE}",
            hint="versions from built-in pipelines have it",
        )
    frame = from_parquet(files[FILE], f"{where}: {FILE}")
    inputs = frame.drop(columns=[name for name in (target,) if name in frame.columns])
    return inputs.sample(MOST_ROWS, random_state=0) if len(inputs) > MOST_ROWS else inputs


def _keep(
    connect: Connect, tenant: str, model: str, version: str, inputs: pd.DataFrame, data: str
) -> None:
    columns = [{"name": name, "type": str(inputs[name].dtype)} for name in inputs.columns]
    body = json.loads(inputs.to_json(orient="values", double_precision=15))
    with connect() as connection:
        connection.execute(
            _WRITE,
            (
                *(tenant, model, version, data, json.dumps(columns), json.dumps(body)),
                f"pipeline/{FILE}",
            ),
        )


def _frame(rows: list[list[Any]], columns: list[dict[str, str]]) -> pd.DataFrame:
    import pandas as pd

    frame = pd.DataFrame(rows, columns=[column["name"] for column in columns])
    types = {c["name"]: c["type"] for c in columns if c["type"] != "object"}
    return frame.astype(types)
