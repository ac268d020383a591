"""References are known before anything is built, and change when and only when an input does."""

import re
import shutil
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from mlops_infra import images, places
from mlops_infra.errors import ConfigError, InputError
from mlops_infra.images import keys, locks, program
from mlops_infra.images import recipe as recipes


@pytest.fixture
def copy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the recipes that a test may change."""
    shutil.copytree(places.project() / "recipes", tmp_path / "recipes")
    monkeypatch.setattr(recipes, "folder", lambda: tmp_path / "recipes")
    return tmp_path / "recipes"


def edit(file: Path, old: str, new: str) -> None:
    text = file.read_text()
    assert old in text
    file.write_text(text.replace(old, new, 1))


def test_every_image_has_a_reference_that_a_registry_accepts() -> None:
    for name, reference in images.references().items():
        assert re.fullmatch(
            rf"mlops-infra\.local/{name}:[\w][\w.-]{{0,127}}-[0-9a-f]{{8}}", reference
        )


def test_a_package_of_the_base_changes_all_that_stand_on_it_and_no_other(copy: Path) -> None:
    before = images.references()
    edit(copy / "locks" / "debian-trixie.debian.json", '"sha256": "', '"sha256": "f')
    changed = {name for name, reference in images.references().items() if reference != before[name]}
    assert changed == {"node", "postgresql", "valkey"}


def test_a_changed_default_of_one_recipe_changes_that_image_but_no_layer(copy: Path) -> None:
    before, layers = images.references(), keys.layer_keys("mlflow")
    edit(copy / "mlflow.yaml", 'DO_NOT_TRACK: "true"', 'DO_NOT_TRACK: "1"')
    changed = {name for name, reference in images.references().items() if reference != before[name]}
    assert changed == {"mlflow"}
    assert keys.layer_keys("mlflow") == layers


def test_a_change_of_the_code_is_a_new_last_layer_and_no_other(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    before = keys.layer_keys("runtime")
    monkeypatch.setattr(program, "key", lambda: "another")
    after = keys.layer_keys("runtime")
    assert [layer.part for layer in after][-1] == "program"
    assert after[:-1] == before[:-1]
    assert after[-1] != before[-1]


def test_another_wheel_leaves_the_layer_of_the_code_as_it_is(copy: Path) -> None:
    before = keys.layer_keys("runtime")
    edit(copy / "runtime.yaml", "numpy/_core/include/**", "numpy/_core/includes/**")
    assert changed_layers("runtime", before) == {("runtime", "python")}


def changed_layers(name: str, before: tuple[keys.LayerKey, ...]) -> set[tuple[str, str]]:
    after = keys.layer_keys(name)
    return {(new.recipe, new.part) for old, new in zip(before, after, strict=True) if old != new}


def test_another_interpreter_compiles_wheels_and_code_again(copy: Path) -> None:
    before = keys.layer_keys("runtime")
    edit(copy / "locks" / "python.debian.json", '"sha256": "', '"sha256": "f')
    assert changed_layers("runtime", before) == {
        ("python", "debian"),
        ("runtime", "python"),
        ("runtime", "program"),
    }


def test_a_user_of_a_base_is_in_the_layers_that_name_all_users(copy: Path) -> None:
    before = keys.layer_keys("postgresql")
    edit(copy / "bases" / "debian-trixie.yaml", "name: nonroot", "name: nobodyelse")
    assert changed_layers("postgresql", before) == {
        ("debian-trixie", "debian"),
        ("postgresql", "files"),
    }


def test_python_images_share_the_layers_of_their_base() -> None:
    mlflow, runtime = keys.layer_keys("mlflow"), keys.layer_keys("runtime")
    assert mlflow[:2] == runtime[:2]
    assert {layer.recipe for layer in mlflow[:2]} == {"python"}


def test_a_wrong_recipe_names_all_its_mistakes(copy: Path) -> None:
    edit(copy / "valkey.yaml", 'user: "999:999"', "user: valkey")
    edit(copy / "valkey.yaml", "licences:", "license:")
    with pytest.raises(ConfigError) as caught:
        images.reference("valkey")
    assert {problem.path for problem in caught.value.problems} == {
        "licences",
        "license",
        "run.user",
    }


def test_a_recipe_without_a_lock_says_how_to_lock_it(copy: Path) -> None:
    (copy / "locks" / "valkey.debian.json").unlink()
    with pytest.raises(InputError) as caught:
        images.reference("valkey")
    assert caught.value.hint == "run: mlops-infra images lock valkey"


def test_an_unknown_image_names_those_that_exist() -> None:
    with pytest.raises(InputError) as caught:
        images.reference("postgres")
    assert "postgresql" in (caught.value.hint or "")


@pytest.mark.parametrize("name", recipes.names())
def test_no_image_runs_as_root_or_with_a_named_user(name: str) -> None:
    run = recipes.load(name).run
    assert name == "node" or (run is not None and int(run.user.split(":")[0]) > 0)


def test_the_lock_of_the_runtime_fits_what_the_program_asks_for() -> None:
    project = tomllib.loads((places.project() / "pyproject.toml").read_text())["project"]
    locked = {wheel.name: wheel.version for wheel in locks.wheels("runtime")}
    for line in [*project["dependencies"], *project["optional-dependencies"]["lifecycle"]]:
        wanted = Requirement(line)
        assert wanted.specifier.contains(locked[wanted.name.lower().replace("_", "-")]), line


def test_what_the_program_and_its_image_share_is_asked_for_in_the_same_words() -> None:
    """The image leaves Pulumi out, so its list stands alone; models must load on both sides."""
    project = tomllib.loads((places.project() / "pyproject.toml").read_text())["project"]
    extras = {
        name: {Requirement(line).name: line for line in project["optional-dependencies"][name]}
        for name in ("onprem", "lifecycle")
    }
    both = set(extras["onprem"]) & set(extras["lifecycle"])
    assert both >= {"mlflow-skinny", "numpy", "scikit-learn", "skops"}
    assert {extras["onprem"][name] for name in both} == {extras["lifecycle"][name] for name in both}
