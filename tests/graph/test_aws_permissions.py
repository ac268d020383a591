"""The deployer's policies against the resources that the example stacks really declare."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from mlops_infra.plan.aws.permissions import load_actions, policies
from tests.golden import ROOT
from tests.graph import aws_rules
from tests.graph.recording import Graph
from tests.graph.test_aws_graph import NAMES

READS = ("Describe", "Get", "List", "BatchGet", "View", "GET")


@pytest.mark.parametrize("stack", ["aws-dev", "aws-prod"])
def test_every_declared_type_has_its_actions_and_they_are_in_the_guide(
    stack: str, graph: Callable[..., Graph]
) -> None:
    types = sorted({node.type for node in aws_rules.aws(graph(stack))})
    found = policies(types, NAMES)
    assert found.unknown == ()
    table = load_actions()
    page = (ROOT / "docs" / "reference" / "aws.md").read_text("utf-8")
    for each in types:
        actions = table[each.removeprefix("aws:")]
        names = [action.partition(":")[2] for action in actions]
        assert not all(name.startswith(READS) for name in names), each
        assert set(actions) <= set(found.actions)
        assert f"| `{each.removeprefix('aws:')}` |" in page
