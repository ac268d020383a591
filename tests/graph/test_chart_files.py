"""What Pulumi's provider reads: Helm tells of every link, and Pulumi prints what Helm tells."""

from __future__ import annotations

from pathlib import Path

import pytest

from mlops_infra.components.onprem import without_links


@pytest.fixture
def charts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("MLOPS_INFRA_CACHE", str(tmp_path / "cache"))
    library = tmp_path / "charts" / "_library" / "base"
    (tmp_path / "charts" / "one" / "charts").mkdir(parents=True)
    library.mkdir(parents=True)
    (library / "Chart.yaml").write_text("name: base\n")
    (tmp_path / "charts" / "one" / "Chart.yaml").write_text("name: one\n")
    return tmp_path / "charts"


def test_links_become_files_in_a_copy_that_is_made_once_for_each_content(charts: Path) -> None:
    (charts / "one" / "charts" / "base").symlink_to("../../_library/base")
    copy = without_links(charts)
    assert (copy / "one" / "charts" / "base" / "Chart.yaml").read_text() == "name: base\n"
    assert not [each for each in copy.rglob("*") if each.is_symlink()]
    assert without_links(charts) == copy
    (charts / "_library" / "base" / "Chart.yaml").write_text("name: base\nversion: 2\n")
    again = without_links(charts)
    assert "version: 2" in (again / "one" / "charts" / "base" / "Chart.yaml").read_text()
    assert {each.name for each in copy.parent.iterdir()} == {copy.name, again.name}


def test_charts_without_links_are_read_where_they_are(charts: Path) -> None:
    assert without_links(charts) == charts
