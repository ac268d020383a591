"""The wrapper modules: what is shared is the same, so that it is compiled once."""

from scripts import align


def test_wrappers_of_a_group_require_the_same_libraries() -> None:
    assert align.differing() == {}, "type: make align"


def test_a_release_is_higher_than_what_came_before_it() -> None:
    ordered = [
        "v0.0.0-20250910181357-589584f1c912",
        "v0.0.0-20260520065146-aa012df4f4af",
        "v0.9.2",
        "v0.10.0",
        "v1.0.0-rc.1",
        "v1.0.0-rc.1.0.20260101000000-aa012df4f4af",
        "v1.0.0-rc.2",
        "v1.0.0",
        "v1.0.1-0.20260120151049-f2248ac996af",
        "v1.0.1",
        "v24.0.0+incompatible",
    ]
    assert sorted(set(ordered), key=align.order) == ordered
