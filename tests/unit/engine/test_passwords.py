"""Passwords from a seed."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlops_infra.components import passwords
from mlops_infra.errors import MissingError

seeds = st.binary(min_size=32, max_size=64)


@given(seeds, st.text(max_size=20), st.text(max_size=20))
def test_the_same_three_always_give_the_same_plain_password(
    seed: bytes, stack: str, identity: str
) -> None:
    found = passwords.generated(seed, stack, identity)
    assert found == passwords.generated(seed, stack, identity)
    assert len(found) == passwords.LENGTH
    assert found.isalnum()
    assert found.isascii()


@given(seeds, seeds)
def test_another_seed_stack_or_id_gives_another(one: bytes, two: bytes) -> None:
    base = passwords.generated(one, "a", "x")
    assert base != passwords.generated(one, "b", "x")
    assert base != passwords.generated(one, "a", "y")
    assert (base == passwords.generated(two, "a", "x")) == (one == two)


def test_a_known_value_never_changes() -> None:
    """Databases were made with these; a change of the function locks everybody out."""
    assert (
        passwords.generated(b"0" * 32, "sandbox", "mlflow-db") == "kvkSKxy3iqfM98ci2Iqms6ZRL2RWD72E"
    )


@pytest.mark.parametrize("content", [None, "", "too short"])
def test_a_missing_or_damaged_seed_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: str | None
) -> None:
    file = tmp_path / "seed"
    if content is not None:
        file.write_text(content)
    monkeypatch.setenv("MLOPS_INFRA_SEED_FILE", str(file))
    with pytest.raises(MissingError):
        passwords.seed()
