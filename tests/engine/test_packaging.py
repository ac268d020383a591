"""What a user installs: a wheel that carries everything, and a lock that holds what it says."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from mlops_infra import __version__

ROOT = Path(__file__).resolve().parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    folder = tmp_path_factory.mktemp("dist")
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", folder],
        cwd=ROOT,
        check=True,
        capture_output=True,
    )
    (file,) = folder.glob("*.whl")
    assert file.name == f"mlops_infra-{__version__}-py3-none-any.whl"
    return zipfile.ZipFile(file).namelist()


def test_the_wheel_carries_the_project(wheel: list[str]) -> None:
    for carried in ("charts", "recipes", "go", "stacks"):
        files = [
            Path(place, name)
            for place, _, names in os.walk(ROOT / carried, followlinks=True)
            for name in names
            if "__pycache__" not in place
        ]
        missing = [
            str(file.relative_to(ROOT))
            for file in files
            if f"mlops_infra/_project/{file.relative_to(ROOT)}" not in wheel
        ]
        assert missing == []
    assert "mlops_infra/_project/charts/valkey/charts/base/Chart.yaml" in wheel
    assert "mlops_infra/_project/Pulumi.yaml" in wheel
    assert "mlops_infra/cli/main.py" in wheel


def test_an_installation_finds_the_images_that_a_checkout_built(wheel: list[str]) -> None:
    """The key of the runtime image is made of the program's files, wherever they lie."""
    from mlops_infra.images import program

    own = {name for name in wheel if ".dist-info/" not in name and "/." not in name}
    lock = "mlops_infra/_project/requirements.lock"  # for the next bundle, not for the image
    assert own - {lock} == {name for name, _ in program.files()}


def test_the_wheel_carries_nothing_else(wheel: list[str]) -> None:
    allowed = (
        "mlops_infra/",
        "offline_bundle/",
        "stacks/",
        f"mlops_infra-{__version__}.dist-info/",
    )
    assert [name for name in wheel if not name.startswith(allowed)] == []
    assert [name for name in wheel if "__pycache__" in name or "/tests/" in name] == []


def test_the_distribution_is_no_pulumi_plugin_by_name() -> None:
    # Pulumi takes every installed distribution named pulumi-* for a provider package.
    assert PROJECT["name"] == "mlops-infra"
    assert set(PROJECT["optional-dependencies"]) == {"aws", "dev", "lifecycle", "onprem"}
    assert PROJECT["scripts"] == {"mlops-infra": "mlops_infra.cli.main:main"}


def requirements() -> list[Requirement]:
    lists = [PROJECT["dependencies"], *PROJECT["optional-dependencies"].values()]
    return [Requirement(line) for lines in lists for line in lines]


def test_what_two_extras_share_is_written_the_same() -> None:
    """Each extra is complete by itself; what stands twice must not drift apart."""
    asked: dict[str, set[str]] = {}
    for each in requirements():
        asked.setdefault(canonicalize_name(each.name), set()).add(str(each))
    assert {name: lines for name, lines in asked.items() if len(lines) > 1} == {}


def locked() -> dict[str, list[str]]:
    pins: dict[str, list[str]] = {}
    for name, version in re.findall(
        r"^([A-Za-z0-9._-]+)==(\S+)", (ROOT / "requirements.lock").read_text("utf-8"), re.M
    ):
        pins.setdefault(canonicalize_name(name), []).append(version)
    return pins


def test_the_lock_holds_what_the_project_asks_for() -> None:
    pins = locked()
    wrong = {
        str(asked): pins.get(canonicalize_name(asked.name))
        for asked in requirements()
        if not any(map(asked.specifier.contains, pins.get(canonicalize_name(asked.name), [])))
    }
    assert wrong == {}


def test_every_pin_has_a_hash() -> None:
    text = (ROOT / "requirements.lock").read_text(encoding="utf-8")
    entries = re.split(r"^(?=\S)", re.sub(r"^\s*#.*\n", "", text, flags=re.M), flags=re.M)
    assert [e.split()[0] for e in entries if e.strip() and "--hash=sha256:" not in e] == []


def test_the_dependencies_are_explained() -> None:
    told = (ROOT / "docs" / "decisions" / "0002-dependencies.md").read_text(encoding="utf-8")
    told = told.lower()
    names = {asked.name for asked in requirements()}
    unexplained = [n for n in names if n.lower() not in told and not n.startswith("types-")]
    assert unexplained == []
