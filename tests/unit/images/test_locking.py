"""What `images lock` writes."""

from __future__ import annotations

from pathlib import Path

import pytest

from mlops_infra import images
from mlops_infra.images import locking, locks
from mlops_infra.images.recipe import Recipe
from mlops_infra.progress import quiet


@pytest.fixture
def locked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Names of the recipes whose locks would be written."""
    found: list[str] = []

    def note(recipe: Recipe, *_index: object) -> Path:
        found.append(recipe.name)
        return locks.python_path(recipe.name)

    monkeypatch.setattr(locking, "_python", note)
    monkeypatch.setattr(locking, "_debian", note)
    monkeypatch.setattr(locks, "debian", lambda _name: locks.DebianLock("trixie", "now", ()))
    return found


def test_a_named_image_leaves_the_lock_of_its_base_alone(locked: list[str]) -> None:
    images.lock(["envoy"], quiet)
    assert locked == ["envoy"]


def test_a_base_is_locked_by_its_name_or_with_all(locked: list[str]) -> None:
    images.lock(["debian-trixie"], quiet)
    assert locked == ["debian-trixie"]
    images.lock([], quiet)
    assert set(locked) > {"debian-trixie", "python", "envoy"}
