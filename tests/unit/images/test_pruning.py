"""Pruning takes what nobody names or uses any more, and its dry run says just that."""

import os
import time
from pathlib import Path

import pytest

from mlops_infra.images import blobs, keys, prune
from mlops_infra.images.builder import layout_of
from mlops_infra.images.tree import Entry, Tree

DAYS_AGO = time.time() - 20 * 86_400


def layer(key: str, content: bytes) -> Path:
    tree = Tree()
    tree.add("content", Entry("file", content=content), where="test")
    return blobs.store(key, tree, (), lambda _amount: None).file


def layout(folder: Path, held: Path) -> Path:
    folder.mkdir(parents=True)
    os.link(held, folder / held.name)
    (folder / "built.json").write_text("{}")
    return folder


def age() -> None:
    for at, _, names in os.walk(blobs.folder()):
        for name in names:
            os.utime(Path(at, name), (DAYS_AGO, DAYS_AGO))


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLOPS_INFRA_CACHE", str(tmp_path))


def test_what_no_recipe_names_goes_and_what_is_wanted_or_in_use_stays() -> None:
    wanted_layer = layer(keys.layer_keys("pause")[0].key, b"wanted")
    old_layer = layer("0" * 64, b"old" * 10_000)
    wanted = layout(layout_of("pause"), wanted_layer)
    old = layout(layout_of("pause").with_name("pause-0000000000000000"), old_layer)
    cut_short = blobs.folder() / "blobs" / "sha256-nobody-names-it"
    cut_short.write_bytes(b"-")
    age()
    in_use = layout(layout_of("pause").with_name("pause-1111111111111111"), wanted_layer)
    size = sum(each.stat().st_size for each in (old_layer, old / "built.json", cut_short))

    told = prune(14, dry_run=True)
    assert old.exists()
    assert old_layer.exists()
    assert prune(14) == told
    assert told.images == (old.name,)
    assert (told.layers, told.freed) == (2, size)
    assert [each.exists() for each in (old, old_layer, cut_short)] == [False] * 3
    assert all(each.exists() for each in (wanted, wanted_layer, in_use))
    assert prune(14).images == ()


def test_a_layer_that_a_younger_image_still_links_frees_nothing() -> None:
    shared = layer("0" * 64, b"shared")
    layout(layout_of("pause").with_name("pause-0000000000000000"), shared)
    age()
    young = layout(layout_of("pause").with_name("pause-1111111111111111"), shared)
    assert prune(14).freed == len("{}")
    assert (young / shared.name).exists()
