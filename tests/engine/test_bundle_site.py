"""The commands of the closed side against a real registry: push, receipt, push again, prune."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from mlops_infra.cli.main import run
from offline_bundle.sealing import keys
from tests.bundles import Maker
from tests.registries import incompressible, registry

SHARED = incompressible(200_000, 3)


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    folder = tmp_path_factory.mktemp("keys")
    keys.generate(folder / "site.key", folder / "site.pub", phrase=None)
    return folder / "site.key", folder / "site.pub"


def bundle(folder: Path, key: Path, *tops: bytes) -> Maker:
    maker = Maker(folder)
    for number, top in enumerate(tops):
        maker.image(f"registry.example/ml/image{number}:1", [SHARED, top])
    maker.seal(key)
    return maker


def told(capsys: pytest.CaptureFixture[str], *arguments: object, code: int = 0) -> Any:
    """The JSON document of one run of the program."""
    capsys.readouterr()
    assert run(["bundle", *map(str, arguments), "--json"]) == code
    return json.loads(capsys.readouterr().out)


def test_a_site_from_the_first_push_to_the_prune(
    tmp_path: Path, pair: tuple[Path, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    key, pub = pair
    old = bundle(tmp_path / "old", key, b"a", b"b")
    new = bundle(tmp_path / "new", key, b"a", b"moved")
    first, second = tmp_path / "first.json", tmp_path / "second.json"
    with registry(tmp_path / "registry") as host:
        where = ["--registry", f"{host}/site", "--plain-http"]
        signed = ["--key", pub, "--receipt-key", key]
        planned = told(capsys, "push", old.folder, *where, *signed, "--dry-run")
        assert not first.exists()
        pushed = told(capsys, "push", old.folder, *where, *signed, "--receipt", first)
        assert planned["actions"] == pushed["actions"]
        assert pushed["uploadedBytes"] > len(SHARED)
        assert told(capsys, "push", old.folder, *where)["actions"] == []
        assert told(capsys, "push", new.folder, *where, "--receipt", second)["uploadedBytes"] < 2000
        found = told(capsys, "receipt", first, "--key", pub)
        assert found["signature"] == "good"
        assert [each["name"] for each in found["receipt"]["images"]] == [
            image.reference for image in old.images
        ]
        told(capsys, "receipt", second, "--key", pub, code=3)

        pods = tmp_path / "pods"
        gone = old.images[1]
        pods.write_text(f"{host}/site/{gone.repository}@{gone.digest}\n")
        spare = ["prune", first, *where, "--keep", new.folder]
        told(capsys, *spare, code=2)  # nobody said which Pods there are
        used = told(capsys, *spare, "--running", pods)
        assert (used["removed"], used["running"]) == ([], [gone.reference])
        dry = told(capsys, *spare, "--no-cluster", "--dry-run")
        assert [each["digest"] for each in dry["removed"]] == [gone.digest]
        assert told(capsys, *spare, "--no-cluster")["removed"] == dry["removed"]
        assert told(capsys, *spare, "--no-cluster")["removed"] == []
        assert told(capsys, "push", new.folder, *where)["actions"] == []


def test_a_bundle_of_another_key_is_never_pushed(
    tmp_path: Path, pair: tuple[Path, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    keys.generate(tmp_path / "other", tmp_path / "other.pub", phrase=None)
    made = bundle(tmp_path / "bundle", pair[0], b"a")
    where = ["--registry", "127.0.0.1:1", "--plain-http"]
    # nobody listens there: it ends before anybody is asked
    told(capsys, "push", made.folder, *where, "--key", tmp_path / "other.pub", code=3)
