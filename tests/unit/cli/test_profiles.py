"""An option that a profile does not read is refused, before anything is opened."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from mlops_infra.cli.main import cli
from mlops_infra.errors import InputError

ROOT = Path(__file__).resolve().parents[3]


@pytest.mark.parametrize(
    ("stack", "words"),
    [
        ("aws-dev", ["status", "--html", "page.html"]),
        ("aws-dev", ["verify", "--clean"]),
        ("aws-dev", ["verify", "--core"]),
        ("aws-dev", ["verify", "--model", "a/b"]),
        ("sandbox", ["verify", "--sample", "row.csv"]),
    ],
)
def test_an_option_of_the_other_profile_is_refused(
    stack: str, words: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MLOPS_INFRA_DATA", str(tmp_path))
    answer = CliRunner().invoke(cli, [words[0], "-s", stack, *words[1:]])
    assert isinstance(answer.exception, InputError)
    assert words[1] in answer.exception.what
