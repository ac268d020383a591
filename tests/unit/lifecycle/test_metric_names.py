"""Metrics are named in the user's own language: MLflow keeps the name, people see it as it was."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlops_infra.errors import InputError
from mlops_infra.lifecycle.registry.metric_names import check_name, decoded, encoded

NAMES = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=40)
ODD = [
    "정확도 (%)",
    "a:u28:",
    ":u",
    "/a",
    "..",
    ".",
    "a/../b",
    "a//b",
    "a/",
    "f1@0.5",
    "a\n",
    "::",
    "a:b",
]


@given(NAMES | st.sampled_from(ODD))
def test_mlflow_takes_any_name_and_it_comes_back(name: str) -> None:
    from mlflow.utils.validation import _validate_metric_name

    _validate_metric_name(encoded(name))
    assert decoded(encoded(name)) == name


@pytest.mark.parametrize("name", ["accuracy", "정확도", "val/f1-macro", "a b.c", "split:80:20"])
def test_a_name_that_mlflow_takes_stays_as_it_is(name: str) -> None:
    assert encoded(name) == name
    assert decoded(name) == name


@pytest.mark.parametrize("name", ["", " ", "x" * 251, "%" * 60, "\ud800"])
def test_a_name_that_cannot_be_kept_is_refused_at_once(name: str) -> None:
    with pytest.raises(InputError, match="metric"):
        check_name(name)
