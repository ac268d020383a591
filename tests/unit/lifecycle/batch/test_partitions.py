"""One partition that cannot be scored costs that partition."""

from __future__ import annotations

import pytest

from mlops_infra.errors import FoundError, InputError, MlopsError, OperationFailed
from mlops_infra.lifecycle import batch

ERRORS: dict[str, Exception] = {
    "key": FoundError("rows without a key in row", ["row 2"]),
    "csv": InputError("not a CSV file: no columns"),
    "odd": KeyError("a column"),
    "busy": OperationFailed("another run is scoring it"),
}


def score(name: str) -> batch.BatchResult:
    if name.partition("-")[0] in ERRORS:
        raise ERRORS[name.partition("-")[0]]
    return batch.BatchResult(name, "wine/1", 4, 4, 0, "done")


def test_the_others_are_scored_and_each_bad_one_is_named() -> None:
    names = ["1", "key", "2", "csv", "odd", "busy", "3"]
    results, failed = batch.each(names, score)
    assert [each.partition for each in results] == ["1", "2", "3"]
    assert failed == [
        "key: rows without a key in row; row 2",
        "csv: not a CSV file: no columns",
        "odd: KeyError('a column')",
        "busy: another run is scoring it",
    ]


def test_a_service_that_is_away_is_not_asked_for_every_partition() -> None:
    asked: list[str] = []

    def away(name: str) -> batch.BatchResult:
        asked.append(name)
        return score("busy")

    with pytest.raises(MlopsError, match="another run"):
        batch.each([str(number) for number in range(100)], away)
    assert len(asked) == 2
