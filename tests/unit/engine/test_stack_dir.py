"""The private files of a stack."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from mlops_infra.engine import environment
from mlops_infra.engine.stack_dir import StackDir
from mlops_infra.errors import InputError


@pytest.fixture
def stack_dir(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> StackDir:
    for name in ("MLOPS_INFRA_SEED_FILE", "PULUMI_CONFIG_PASSPHRASE", "PULUMI_BACKEND_URL",
                 "PULUMI_CONFIG_PASSPHRASE_FILE", "PULUMI_HOME"):  # fmt: skip
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("MLOPS_INFRA_DATA", str(tmp_path / "data"))
    return StackDir.of("one")


def test_secrets_are_made_once_and_for_their_owner_alone(stack_dir: StackDir) -> None:
    stack_dir.secure(state_exists=False)
    first = [file.read_text() for file in (stack_dir.seed, stack_dir.passphrase)]
    assert [file.stat().st_mode & 0o777 for file in (stack_dir.seed, stack_dir.passphrase)] == [
        0o600
    ] * 2
    assert stack_dir.folder.stat().st_mode & 0o777 == 0o700
    stack_dir.secure(state_exists=True)
    assert [file.read_text() for file in (stack_dir.seed, stack_dir.passphrase)] == first
    assert first[0] != first[1]


@pytest.mark.parametrize("lost", ["seed", "passphrase"])
def test_a_lost_secret_is_not_replaced_under_an_existing_state(
    stack_dir: StackDir, lost: str
) -> None:
    stack_dir.secure(state_exists=False)
    (stack_dir.folder / lost).unlink()
    with pytest.raises(InputError, match=f"the {lost} of stack one is gone") as caught:
        stack_dir.secure(state_exists=True)
    assert caught.value.where == str(stack_dir.folder / lost)
    assert not (stack_dir.folder / lost).exists()


def test_a_team_brings_its_own_secrets(
    stack_dir: StackDir, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PULUMI_CONFIG_PASSPHRASE", "known to the team")
    monkeypatch.setenv("MLOPS_INFRA_SEED_FILE", str(tmp_path / "shared"))
    (tmp_path / "shared").write_text("s" * 40)
    stack_dir.secure(state_exists=True)
    assert not (stack_dir.folder / "passphrase").exists()
    assert not (stack_dir.folder / "seed").exists()


def test_the_salt_survives_a_change_of_the_configuration(
    stack_dir: StackDir, tmp_path: Path
) -> None:
    given = tmp_path / "Pulumi.one.yaml"
    given.write_text("config: {mlops-infra:environment: a}")
    stack_dir.refresh(given)
    settings = yaml.safe_load(stack_dir.settings.read_text())
    stack_dir.settings.write_text(yaml.safe_dump({"encryptionsalt": "v1:x", **settings}))
    given.write_text("config: {mlops-infra:environment: b}")
    stack_dir.refresh(given)
    assert yaml.safe_load(stack_dir.settings.read_text()) == {
        "encryptionsalt": "v1:x",
        "config": {"mlops-infra:environment": "b"},
    }
    assert "encryptionsalt" not in given.read_text()


def test_a_file_with_its_own_encryption_is_taken_as_it_is(
    stack_dir: StackDir, tmp_path: Path
) -> None:
    given = tmp_path / "Pulumi.one.yaml"
    given.write_text("{config: {}, secretsprovider: 'hashivault://k', encryptedkey: abc}")
    stack_dir.refresh(given)
    assert yaml.safe_load(stack_dir.settings.read_text())["encryptedkey"] == "abc"


def test_teardown_needs_no_readable_configuration(stack_dir: StackDir, tmp_path: Path) -> None:
    given = tmp_path / "Pulumi.one.yaml"
    given.write_text("config: {mlops-infra:environment: a}")
    stack_dir.refresh(given)
    before = stack_dir.settings.read_text()
    stack_dir.refresh(None)
    assert stack_dir.settings.read_text() == before


def test_exports_are_safe_to_evaluate_whatever_the_paths(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, stack_dir: StackDir
) -> None:
    import subprocess

    strange = tmp_path / "it's $(touch pwned) here"
    monkeypatch.setenv("MLOPS_INFRA_DATA", str(strange))
    stack_dir = StackDir.of("one")
    found = environment.variables(
        stack_dir, backend="file:///s", path_entries=(strange / "bin",),
        kubeconfig=None, stack_file=strange / "x.yaml",
    )  # fmt: skip
    script = environment.exports(found, stack_dir) + '\nprintf %s "$MLOPS_INFRA_SEED_FILE"'
    done = subprocess.run(
        ["bash", "-c", script], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert done.stdout == str(stack_dir.seed)
    assert not (tmp_path / "pwned").exists()


def test_nothing_may_phone_home(stack_dir: StackDir) -> None:
    found = environment.variables(
        stack_dir, backend="file:///s", path_entries=(), kubeconfig=None, stack_file=None
    )
    assert found["PULUMI_SKIP_UPDATE_CHECK"] == "true"
    assert found["PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION"] == "true"
    assert found["PULUMI_API"].startswith("http://127.0.0.1")


def test_the_environment_is_given_back(monkeypatch: pytest.MonkeyPatch) -> None:
    import os

    monkeypatch.setenv("TRACEPARENT", "00-1")
    before = dict(os.environ)
    with environment.applied({"A_NEW_ONE": "x"}):
        assert os.environ["A_NEW_ONE"] == "x"
        assert "TRACEPARENT" not in os.environ
    assert dict(os.environ) == before
