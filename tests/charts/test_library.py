"""The library chart: every chart carries it, and what two charts would say alike stands there."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from offline_bundle.pack import archive
from tests.charts.rendering import CASES, CHARTS, FOLDERS, documents, helm, render

LIBRARY = CHARTS / "_library" / "base"
ALIKE = 6
"""Lines in a row that may not stand in two charts."""
_REPEATED = {
    "Chart.yaml": "a head whose fields Helm prescribes",
    "values.yaml": "what `helm show values` prints: a chart tells all of its values",
    "values.schema.json": "generated",
}


@pytest.mark.parametrize("chart", FOLDERS)
def test_every_chart_carries_the_library_and_downloads_nothing(chart: str) -> None:
    version = yaml.safe_load((LIBRARY / "Chart.yaml").read_text("utf-8"))["version"]
    head = yaml.safe_load((CHARTS / chart / "Chart.yaml").read_text("utf-8"))
    assert head["dependencies"] == [{"name": "base", "version": version}]
    (link,) = (CHARTS / chart / "charts").iterdir()
    assert (link.name, link.resolve()) == ("base", LIBRARY)
    assert not link.readlink().is_absolute()


@pytest.mark.parametrize("chart", ["crds", "katib", "valkey"])
def test_a_packed_chart_renders_as_its_folder_does(chart: str, tmp_path: Path) -> None:
    packed = tmp_path / f"{chart}.tgz"
    packed.write_bytes(archive(CHARTS / chart))
    case = CASES[chart]
    rendered = helm("template", chart, str(packed), "-n", case.namespace, values=case.values)
    assert documents(rendered) == render(chart)


def test_no_six_lines_stand_in_two_charts() -> None:
    """Blank lines and indentation do not count."""
    places: dict[tuple[str, ...], set[str]] = defaultdict(set)
    for chart in FOLDERS:
        for file in _written(CHARTS / chart):
            for first, lines in _windows(file.read_text("utf-8")):
                places[lines].add(f"{file.relative_to(CHARTS)}:{first}")
    copies = [
        " = ".join(sorted(found))
        for found in places.values()
        if len({each.partition("/")[0] for each in found}) > 1
    ]
    assert not copies, "move into charts/_library/base:\n" + "\n".join(sorted(copies))


def _written(chart: Path) -> Iterator[Path]:
    """The files of a chart that somebody wrote for it."""
    for file in sorted(chart.rglob("*")):
        upstream = chart.name == "crds" and "files" in file.parts
        if file.is_file() and file.name not in _REPEATED and not upstream:
            yield file


def _windows(text: str) -> Iterator[tuple[int, tuple[str, ...]]]:
    numbered = [(n, line.strip()) for n, line in enumerate(text.splitlines(), 1) if line.strip()]
    for window in zip(*(numbered[n:] for n in range(ALIKE)), strict=False):
        yield window[0][0], tuple(line for _, line in window)
