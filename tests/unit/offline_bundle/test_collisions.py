"""Nothing that is given is lost because something else has its name."""

from __future__ import annotations

from pathlib import Path

import pytest

from mlops_infra.errors import InputError
from mlops_infra.progress import quiet
from offline_bundle.collisions import require_distinct
from offline_bundle.discover import Additions, discover


@pytest.mark.parametrize(
    "paths",
    [
        ("files/config.yaml", "files/config.yaml"),
        ("files/Config.yaml", "files/config.yaml"),
        ("files/a", "files/a/b"),
        ("files/A/b", "files/a"),
        ("wheels/x-1.whl", "wheels/x-1.whl"),
    ],
)
def test_two_files_of_one_place_are_refused_and_both_named(paths: tuple[str, str]) -> None:
    with pytest.raises(InputError) as caught:
        require_distinct([(paths[0], "file:/one/place"), (paths[1], "file:/other/place")])
    assert "/one/place" in str(caught.value)
    assert "/other/place" in str(caught.value)


def test_others_are_not() -> None:
    require_distinct([("files/a", "x"), ("files/ab", "y"), ("wheels/a", "z"), ("files/b/a", "w")])


def test_additions_that_collide_are_refused_and_the_same_one_twice_is_not(tmp_path: Path) -> None:
    for folder in ("a", "b"):
        (tmp_path / folder / "sub").mkdir(parents=True)
        (tmp_path / folder / "sub" / "x.txt").write_text(folder)
    one, other = (tmp_path / folder / "sub" for folder in ("a", "b"))
    found = discover(None, quiet, add=Additions(files=[one, one]))
    assert [each.name for each in found.files] == ["sub/x.txt"]
    with pytest.raises(InputError) as caught:
        discover(None, quiet, add=Additions(files=[one, other]))
    assert str(one / "x.txt") in str(caught.value)
    assert str(other / "x.txt") in str(caught.value)
