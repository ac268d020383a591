"""The guide's table of costs is what the program itself tells."""

from __future__ import annotations

import json
import re

import pytest

from mlops_infra.cli.main import run
from tests.readme import text


@pytest.mark.parametrize("guide", ["aws", "aws.ko"])
@pytest.mark.parametrize("stack", ["aws-dev", "aws-prod"])
def test_the_table_of_costs_adds_up(
    guide: str, stack: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["preview", "--cost", "-s", stack, "--json"]) == 0
    told = json.loads(capsys.readouterr().out)["monthlyAtReference"]
    rows = re.findall(
        rf"^\| `{stack}` \|.*\| ([\d,]+\.\d\d) \|$", text(f"docs/guide/{guide}.md"), re.M
    )
    assert rows
    assert sum(float(each.replace(",", "")) for each in rows) == pytest.approx(told, abs=0.01)
