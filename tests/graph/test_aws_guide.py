"""The guide's table of costs is what the program itself tells."""

from __future__ import annotations

import json
import re

import pytest

from mlops_infra.cli.main import run
from tests.readme import text


@pytest.mark.parametrize("stack", ["aws-dev", "aws-prod"])
def test_the_table_of_costs_adds_up(stack: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["preview", "--cost", "-s", stack, "--json"]) == 0
    told = json.loads(capsys.readouterr().out)["monthlyAtReference"]
    for guide in ("aws.md", "aws.ko.md"):
        row = rf"^\| `{stack}` \|.*\| ([\d,]+\.\d\d) \|$"
        found = re.findall(row, text(f"docs/guide/{guide}"), re.M)
        assert sum(float(each.replace(",", "")) for each in found) == pytest.approx(told, abs=0.01)
