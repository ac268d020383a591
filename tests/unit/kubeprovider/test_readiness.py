from __future__ import annotations

import pytest

from mlops_infra.kubeprovider.problems import ProviderError
from mlops_infra.kubeprovider.waitfor import evaluate, parse

LIVE = {
    "spec": {"a": {"b": [{"c": "x"}, {"c": 2}]}},
    "status": {"conditions": [{"type": "Ready", "status": "True"}]},
}


@pytest.mark.parametrize(
    ("text", "ready"),
    [
        ("condition=Ready", True),
        ("condition=Ready=False", False),
        ("condition=Other", False),
        ("jsonpath={.spec.a.b[0].c}=x", True),
        ("jsonpath={.spec.a.b[1].c}=2", True),
        ("jsonpath={.spec.a.b[*].c}=2", True),
        ("jsonpath={.spec.a['b'][-1].c}", True),
        ("jsonpath={.spec.nothing}", False),
        ('jsonpath={.status.conditions[?(@.type=="Ready")].status}=True', True),
        ('["condition=Ready", "jsonpath={.spec.a}"]', True),
        ('["condition=Ready", "jsonpath={.spec.z}"]', False),
    ],
)
def test_wait_for(text: str, ready: bool) -> None:
    assert evaluate(LIVE, parse(text)).ready is ready


@pytest.mark.parametrize("text", ["ready", "jsonpath={.a[?(@.x)]}", "[]", "[1"])
def test_an_expression_that_is_not_understood_is_refused(text: str) -> None:
    with pytest.raises(ProviderError, match="waitFor"):
        parse(text)
