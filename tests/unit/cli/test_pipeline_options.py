"""An option that the engine would not read is refused, not ignored."""

from __future__ import annotations

import pytest
from click.testing import CliRunner

from mlops_infra.cli.main import cli


@pytest.mark.parametrize(
    ("engine", "words", "readers"),
    [
        ("argo", ["--processes"], "local"),
        ("kfp", ["--processes"], "local"),
        ("local", ["--code-in", "bucket"], "argo"),
        # the default said aloud is an option that is given, too
        ("kfp", ["--code-in", "configmap"], "argo"),
        ("local", ["--image", "registry.example/steps:1"], "argo or kfp"),
    ],
)
def test_an_option_of_another_engine(engine: str, words: list[str], readers: str) -> None:
    asked = ["pipeline", "run", "tabular-classification", "--engine", engine, *words]
    answer = CliRunner().invoke(cli, asked)
    assert answer.exit_code == 2
    assert f"{words[0]} is for engine {readers}, not {engine}" in answer.output
