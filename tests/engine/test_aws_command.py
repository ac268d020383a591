"""The command line on the emulator: what a person types, and the exit code.

Where Pulumi's plug-in for AWS cannot be had, `up` must end with 4 and say so; where it can, these
tests say nothing about `up`.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from mlops_infra import contract
from mlops_infra.cli.main import run
from mlops_infra.engine import aws_plugin
from tests.engine.aws_emulator import ACCOUNT, REGION, Emulator, emulator

STACK = "emulated"


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Emulator]:
    with emulator(tmp_path_factory.mktemp("moto"), long=False) as found:
        yield found


@pytest.fixture
def file(running: Emulator, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("MLOPS_INFRA_DATA", str(tmp_path / "data"))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("PULUMI_BACKEND_URL", "")
    aws = {
        "account": ACCOUNT, "region": REGION, "endpointUrl": running.url,
        "pipelines": {"demand": {"training": {"data": "curated/x", "target": "y"}}},
    }  # fmt: skip
    config = {"mlops-infra:profile": "aws", "mlops-infra:environment": "test",
              "mlops-infra:aws": aws}  # fmt: skip
    found = tmp_path / f"Pulumi.{STACK}.yaml"
    found.write_text(json.dumps({"config": config}), encoding="utf-8")
    return found


def told(capsys: pytest.CaptureFixture[str]) -> dict[str, object]:
    found: dict[str, object] = json.loads(capsys.readouterr().out)
    return found


def test_check_and_preview_need_no_credentials_and_say_what_they_could_not_see(
    file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    config = json.loads(file.read_text("utf-8"))
    del config["config"]["mlops-infra:aws"]["endpointUrl"]
    file.write_text(json.dumps(config), encoding="utf-8")
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    for name in ("AWS_SHARED_CREDENTIALS_FILE", "AWS_CONFIG_FILE"):
        monkeypatch.setenv(name, str(tmp_path / "none"))
    assert run(["check", "-s", STACK, "--file", str(file), "--json"]) == 0
    told(capsys)
    assert run(["preview", "-s", STACK, "--file", str(file), "--json"]) == 0
    seen = json.loads(capsys.readouterr().out)
    assert seen["counts"]["declared, not compared"] > 30
    assert any("no AWS credentials" in each for each in seen["notes"])
    assert any(each.startswith("not checked: existing resources") for each in seen["notes"])
    assert run(["preview", "--permissions", "-s", STACK, "--file", str(file)]) == 0
    assert told(capsys)["unknownTypes"] == []
    assert run(["preview", "--cost", "-s", STACK, "--file", str(file), "--json"]) == 0
    assert told(capsys)["region"] == REGION


def test_verify_names_what_fails_and_exits_with_3(
    file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["verify", "-s", STACK, "--file", str(file), "--json"]) == 3
    report = told(capsys)
    steps = report["steps"]
    assert isinstance(steps, list)
    assert {s["step"]: s["outcome"] for s in steps}["Reaching AWS"] == "done"
    assert {s["step"]: s["outcome"] for s in steps}["Training by the pipeline"] == "failed"


def test_without_the_plug_in_up_stops_before_anything_and_says_where_it_is_had(
    file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    if aws_plugin.installed() is not None:
        pytest.skip("Pulumi's plug-in for AWS is here: nothing is missing")
    assert run(["up", "-s", STACK, "--file", str(file), "--json"]) == 4
    error = told(capsys)
    assert "AWS plugin" in str(error["what"])
    assert "pulumi plugin install resource aws" in str(error["hint"])


def test_down_finds_what_a_lost_state_left_and_exits_with_3(
    running: Emulator, file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    cloud = running.cloud()
    tags = [{"Key": contract.STACK_TAG, "Value": STACK}]
    cloud.call("sns", "create_topic", Name="by-tag-alone", Tags=tags)
    cloud.call("s3", "create_bucket", Bucket=f"mlops-{STACK}-raw-{ACCOUNT}-{REGION}")
    assert run(["down", "-s", STACK, "--file", str(file), "--json"]) == 3
    out = capsys.readouterr().out
    assert f"arn:aws:sns:{REGION}:{ACCOUNT}:by-tag-alone" in out
    assert f"mlops-{STACK}-raw" in out


def test_down_refuses_what_only_a_cluster_has(
    file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["down", "-s", STACK, "--file", str(file), "--keep-cluster", "--json"]
    assert run(arguments) == 2
    assert "--keep-cluster" in str(told(capsys)["what"])
