"""A valid configuration: defaults, and the three ways to the same values."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from pydantic import ValidationError

from mlops_infra import config
from mlops_infra.errors import InputError
from tests.golden import ROOT

STACKS = sorted((ROOT / "stacks").glob("Pulumi.*.yaml"))
MINIMAL = {"profile": "onprem", "environment": "test"}


@pytest.mark.parametrize("file", STACKS, ids=lambda file: file.stem)
def test_effective_says_everything(file: Path) -> None:
    loaded = config.load(file)
    shown = config.effective(loaded)
    assert config.effective(config.parse(shown)) == shown


@pytest.mark.parametrize("file", STACKS, ids=lambda file: file.stem)
def test_pulumi_and_the_file_give_the_same(file: Path) -> None:
    """As the program gets it: strings, JSON for the rest, empty sections for absent keys."""
    body = yaml.safe_load(file.read_text(encoding="utf-8"))["config"]
    raw = {
        key: value if isinstance(value, str) else json.dumps(value) for key, value in body.items()
    }
    for key, declared in config.pulumi_schema().items():
        if "default" in declared and f"mlops-infra:{key}" not in raw:
            default = declared["default"]
            raw[f"mlops-infra:{key}"] = default if isinstance(default, str) else json.dumps(default)
    raw["pulumi:tags"] = "{}"
    expected = config.effective(config.load(file))
    assert config.effective(config.parse_pulumi(raw)) == expected


def test_defaults_that_depend_on_another_key() -> None:
    embedded = config.parse({**MINIMAL, "cluster": {"embedded": True}})
    assert (embedded.cluster.expose, embedded.network.images.default) == ("nodePort", "built")
    assert embedded.cluster.kubernetes == "1.34"
    other = config.parse({**MINIMAL, "policy": "standard"})
    assert (other.cluster.expose, other.network.images.default, other.protect) == (
        "none",
        "upstream",
        True,
    )
    assert not config.parse(MINIMAL).protect


def test_components_are_found_by_the_catalogs_name() -> None:
    loaded = config.parse({**MINIMAL, "components": {"seldon-core": {"version": "1.19.0"}}})
    assert loaded.components["seldon-core"].version == "1.19.0"
    assert loaded.components["mlflow"].state == "managed"
    with pytest.raises(KeyError):
        loaded.components["sldon"]


def test_a_configuration_cannot_be_changed() -> None:
    loaded = config.parse(MINIMAL)
    with pytest.raises(ValidationError):
        loaded.profile = "aws"  # type: ignore[misc]


def test_stack_files_are_found(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    assert config.stack_file("sandbox") == ROOT / "stacks" / "Pulumi.sandbox.yaml"
    monkeypatch.setenv("MLOPS_INFRA_STACKS", str(tmp_path))
    assert config.stack_file("lab") == tmp_path / "Pulumi.lab.yaml"
    with pytest.raises(InputError):
        config.stack_file("../etc")


def images(**values: Any) -> config.ImageSources:
    return config.parse({**MINIMAL, **values}).network.images


def test_whose_images_run_is_said_for_all_or_for_each_component() -> None:
    embedded = {"cluster": {"embedded": True}}
    assert images().of("mlflow") == "upstream"
    assert images(network={"images": "upstream"}) == images()
    assert images(**embedded).of("mlflow") == "built"
    one = {"images": {"components": {"katib": "upstream"}}}
    mixed = images(**embedded, network=one)
    assert (mixed.of("katib"), mixed.of("mlflow")) == ("upstream", "built")
    other = {"images": {"default": "upstream", "components": {"katib": "built"}}}
    assert images(**embedded, network=other).of("mlflow") == "upstream"
