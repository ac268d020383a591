"""A backup is whole or refused: nothing damaged, missing or foreign is ever restored."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

import pytest

from mlops_infra.backup.folder import BackupFolder, Manifest, StoredObject
from mlops_infra.backup.restoring import restore
from mlops_infra.backup.stores import StoreAccess
from mlops_infra.errors import FoundError, InputError
from mlops_infra.progress import quiet

CONTENT = b"a model"
HASH = hashlib.sha256(CONTENT).hexdigest()


@pytest.fixture
def folder(tmp_path: Path) -> BackupFolder:
    found = BackupFolder(tmp_path / "backup")
    found.prepare()
    found.sql("mlflow").write_bytes(b"dump")
    found.keys.write_text("", encoding="utf-8")
    found.object(HASH).parent.mkdir()
    found.object(HASH).write_bytes(CONTENT)
    line = json.dumps(asdict(StoredObject("a/b", HASH, len(CONTENT), '"1"')))
    found.bucket("mlflow").write_text(f"{line}\n", encoding="utf-8")
    found.finish(
        Manifest(
            stack="one",
            version="0",
            taken="2026-01-01T00:00:00+00:00",
            databases={"mlflow": "mlflow"},
            buckets={"mlflow": 1},
            keys=0,
            files=found.describe(),
        )
    )
    return found


def test_what_was_written_is_read(folder: BackupFolder) -> None:
    manifest = folder.read()
    assert manifest.databases == {"mlflow": "mlflow"}
    assert set(manifest.files) == {"sql/mlflow.dump", "buckets/mlflow.jsonl", "keys.jsonl"}
    assert folder.root.stat().st_mode & 0o077 == 0


def _flip(file: Path) -> None:
    body = bytearray(file.read_bytes() or b"x")
    body[0] ^= 1
    file.write_bytes(body)


@pytest.mark.parametrize(
    ("harm", "named"),
    [
        (lambda f: _flip(f.sql("mlflow")), "sql/mlflow.dump"),
        (lambda f: _flip(f.bucket("mlflow")), "buckets/mlflow.jsonl"),
        (lambda f: f.keys.unlink(), "keys.jsonl"),
        (lambda f: f.object(HASH).write_bytes(b"a"), "mlflow/a/b"),
        (lambda f: f.object(HASH).unlink(), "mlflow/a/b"),
        (lambda f: f.manifest_file.write_text("{"), "Expecting"),
    ],
    ids=["dump", "index", "keys", "object cut", "object gone", "manifest"],
)
def test_damage_is_named_before_anything_is_touched(
    folder: BackupFolder, harm: Callable[[BackupFolder], None], named: str
) -> None:
    harm(folder)
    access = StoreAccess("one", ("kubectl-that-is-not-there",), sql_password="x")
    with pytest.raises(FoundError) as error:
        restore(access, folder.root, _NoClients(), quiet, replace=True)
    assert any(named in finding for finding in error.value.findings)


def test_a_path_that_leads_out_is_refused(folder: BackupFolder) -> None:
    (folder.root.parent / "outside").write_text("x")
    body = json.loads(folder.manifest_file.read_text())
    body["files"]["../outside"] = {"sha256": hashlib.sha256(b"x").hexdigest(), "size": 1}
    folder.manifest_file.write_text(json.dumps(body))
    with pytest.raises(FoundError, match="damaged") as error:
        folder.read()
    assert error.value.findings == ("../outside: leads out of the folder",)


def test_the_stores_are_replaced_with_consent_only(folder: BackupFolder) -> None:
    access = StoreAccess(
        "one", ("kubectl-that-is-not-there",), sql_password="x", object_keys=("a", "b")
    )
    with pytest.raises(InputError, match="restoring replaces the content") as error:
        restore(access, folder.root, _NoClients(), quiet, replace=False)
    assert "--replace" in str(error.value)


def test_a_part_without_a_store_to_go_to_is_refused(folder: BackupFolder) -> None:
    access = StoreAccess("one", ("kubectl-that-is-not-there",), sql_password="x")
    with pytest.raises(InputError, match="holds buckets, which have no managed store"):
        restore(access, folder.root, _NoClients(), quiet, replace=True)


def test_a_finished_backup_and_a_strange_folder_are_not_written_into(
    folder: BackupFolder, tmp_path: Path
) -> None:
    with pytest.raises(InputError, match="finished backup"):
        folder.prepare()
    strange = tmp_path / "strange"
    strange.mkdir()
    (strange / "letters").mkdir()
    with pytest.raises(InputError, match="other content: letters"):
        BackupFolder(strange).prepare()


class _NoClients:
    """Nothing may be stopped in these tests."""

    def stopped(self, _sink: object) -> object:
        raise AssertionError("clients were stopped for a backup that is refused")
