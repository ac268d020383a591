"""Volumes are full and hold every byte once, whatever the sizes are."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from offline_bundle.volumes.packing import pack, room


@given(
    st.dictionaries(
        st.text("abcdef", min_size=1, max_size=4), st.integers(0, 200_000), max_size=20
    ),
    st.integers(8_192, 120_000),
)
def test_every_byte_lies_in_one_volume_and_every_volume_fits(
    sizes: dict[str, int], capacity: int
) -> None:
    volumes = pack(sizes, capacity)
    pieces: dict[str, list[tuple[int, int]]] = {}
    for volume in volumes:
        used = sum(room(sizes[path]) for path in volume.files)
        used += sum(room(part.size) for part in volume.parts)
        assert used <= capacity
        for path in volume.files:
            pieces.setdefault(path, []).append((0, sizes[path]))
        for part in volume.parts:
            pieces.setdefault(part.path, []).append((part.offset, part.size))
    assert pieces.keys() == sizes.keys()
    for path, found in pieces.items():
        at = 0
        for offset, size in sorted(found):
            assert offset == at
            at += size
        assert at == sizes[path]


def test_a_file_that_fits_is_never_cut() -> None:
    volumes = pack({"a": 90_000, "b": 60_000, "c": 30_000}, 100_000)
    assert [volume.files for volume in volumes] == [["a"], ["b", "c"]]
