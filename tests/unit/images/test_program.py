"""What the runtime image holds of this program: what Pods run, and nothing that changes besides."""

from __future__ import annotations

import re
import subprocess
import sys
import sysconfig
import tomllib
from pathlib import Path

import pytest

from mlops_infra import places
from mlops_infra.images import program
from mlops_infra.images.tree import Tree

FOLDER = "usr/local/lib/python3.11/dist-packages"
START = """
import sys
sys.path += sys.argv[1:3]
from mlops_infra.cli.main import main
main(sys.argv[3:])
"""


@pytest.fixture(scope="module")
def image(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The program as it lies in the image."""
    tree, root = Tree(), tmp_path_factory.mktemp("image")
    program.add(tree, FOLDER)
    for path, entry in tree.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_bytes(entry.read())
    return root


def run(image: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the command with the packages of this environment, but not with this checkout."""
    packages = sysconfig.get_path("purelib")
    return subprocess.run(
        [sys.executable, "-I", "-S", "-c", START, image / FOLDER, packages, *arguments],
        cwd=image,
        capture_output=True,
        text=True,
        check=False,
    )


def test_pods_find_their_commands_there(image: Path) -> None:
    shown = run(image, "pipeline", "show", "tabular-classification")
    assert shown.returncode == 0, shown.stderr
    assert "train" in shown.stdout
    for name in ("step", "serve", "lifecycle", "drift", "batch"):
        found = run(image, name, "--help")
        assert found.returncode == 0, found.stderr


@pytest.mark.parametrize("name", ["check", "up", "images", "bundle"])
def test_what_only_an_operator_runs_says_where_it_is(image: Path, name: str) -> None:
    below = {"images": ["list"], "bundle": ["inspect", "."]}.get(name, ["-s", "sandbox"])
    refused = run(image, name, *below)
    assert refused.returncode == 4, refused.stderr
    assert "the runtime image has only the commands that run in Pods" in refused.stderr


def test_the_packages_of_the_image_are_those_that_are_installed(image: Path) -> None:
    (image / "own.py").write_text(
        "from mlops_infra.pipelines import step\n\n\n"
        "@step\ndef one() -> None:\n    import click\n    import nowhere\n"
    )
    checked = run(image, "pipeline", "check", "own.py")
    assert "'nowhere' is not in the runtime image" in checked.stdout + checked.stderr
    assert "'click'" not in checked.stdout + checked.stderr


@pytest.mark.parametrize(
    ("name", "changes"),
    [
        ("mlops_infra/_project/charts/valkey/values.yaml", False),
        ("mlops_infra/_project/recipes/locks/mlflow.python.txt", False),
        ("mlops_infra/plan/making.py", False),
        ("offline_bundle/model.py", False),
        ("mlops_infra/lifecycle/gateway/__init__.py", True),
        ("mlops_infra/contract.py", True),
    ],
)
def test_the_image_changes_with_what_is_in_it_alone(
    name: str, changes: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    before, found = program.key(), dict(program.files())
    found[name] += b"\n"
    monkeypatch.setattr(program, "files", lambda: tuple(found.items()))
    assert (program.key() != before) == changes


def test_the_contract_of_imports_names_what_the_image_lacks_and_what_pods_run() -> None:
    project = tomllib.loads((places.project() / "pyproject.toml").read_text())
    (contract,) = (
        each
        for each in project["tool"]["importlinter"]["contracts"]
        if each["name"].startswith("What Pods run needs nothing")
    )
    left_out = {f"mlops_infra.{name}" for name in program.OPERATORS_ONLY}
    assert set(contract["forbidden_modules"]) == {*left_out, "offline_bundle", "stacks"}
    templates = (places.project() / "charts").glob("*/templates/*")
    called = {
        f"mlops_infra.cli.{name}"
        for file in templates
        for name in re.findall(r'mlops-infra"?,? "?([a-z]+)\b', _commands(file.read_text()))
    }
    assert len(called) >= 3
    assert called <= set(contract["source_modules"])


def _commands(template: str) -> str:
    """The lines of a chart's template that start this program."""
    start = re.compile(r'\[mlops-infra,|list "mlops-infra"')
    return "\n".join(line for line in template.splitlines() if start.search(line))
