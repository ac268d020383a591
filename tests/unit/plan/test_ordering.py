"""Installation order: every need first, wishes where they close no circle."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from mlops_infra.plan.ordering import in_order, with_wishes

NAMES = [chr(ord("a") + index) for index in range(7)]
_SOME = st.lists(st.sampled_from(NAMES), max_size=4, unique=True).map(tuple)
WISHES = st.fixed_dictionaries(dict.fromkeys(NAMES, _SOME))
# each needs only what stands before it in the alphabet: no circle
NEEDS = WISHES.map(
    lambda found: {name: tuple(n for n in needs if n < name) for name, needs in found.items()}
)


@given(NEEDS, WISHES)
def test_needs_come_first_and_wishes_never_block(
    needs: dict[str, tuple[str, ...]], wishes: dict[str, tuple[str, ...]]
) -> None:
    taken, later = with_wishes(needs, wishes)
    order = in_order(taken)
    assert sorted(order) == NAMES
    for name, found in taken.items():
        assert set(needs[name]) <= set(found)
        assert all(order.index(each) < order.index(name) for each in found)
    for name in NAMES:
        assert set(wishes[name]) <= {*taken[name], *later.get(name, ())}


def test_a_circle_of_needs_is_left_out() -> None:
    assert in_order({"a": ("b",), "b": ("a",), "c": ()}) == ["c"]


def test_order_does_not_depend_on_the_order_of_the_file() -> None:
    assert in_order({"b": (), "a": (), "c": ("b",)}) == in_order({"c": ("b",), "a": (), "b": ()})
