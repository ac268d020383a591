"""A run that is given the same as the last one is known by digests, and nothing else is."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from mlops_infra import places
from mlops_infra.config import StackConfig, load
from mlops_infra.engine import last_run
from mlops_infra.engine.last_run import Given, LastRun, inputs_digest, state_digest
from mlops_infra.engine.stack_dir import StackDir
from mlops_infra.engine.tools import Tools

TOOLS = Tools(Path("/tools/pulumi/1/pulumi"), "1", (Path("/tools/pulumi/1"),))
OUTPUTS = {"tracking_uri": "http://10.0.0.1"}
STATE = {
    "resources": [
        {"type": "pulumi:pulumi:Stack", "urn": "a", "outputs": OUTPUTS},
        {"type": "kubernetes:core/v1:ConfigMap", "urn": "b", "inputs": {"data": {"k": "v"}}},
    ]
}


class Site:
    """A stack's file, and everything beside it that a run reads."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.environment = {"MLOPS_INFRA_NODE_ADDRESS": "10.0.0.2", "REGISTRY_USER": "me"}
        self.tools = TOOLS
        self.stack_dir = StackDir("one", folder / "stack")
        self.stack_dir.project.mkdir(parents=True)
        self.stack_dir.seed.write_text("s" * 40)
        shutil.copytree(places.project() / "charts" / "valkey", folder / "charts" / "valkey")
        authority = (places.project() / "stacks" / "site-ca.pem").read_text()
        (folder / "ca.pem").write_text(authority)
        (folder / "password").write_text("first\n")
        references = {"username": {"env": "REGISTRY_USER"}, "password": {"file": self["password"]}}
        config = {
            "profile": "onprem",
            "environment": "dev",
            "network": {
                "ca": "ca.pem",
                "charts": self["charts"],
                "registry": "registry.example",
                "registryLogin": "login",
            },
            "secrets": {"login": references},
        }
        (self.stack_dir.project / "Pulumi.yaml").write_text("config: {}\n")
        self.write({f"mlops-infra:{key}": value for key, value in config.items()})

    def __getitem__(self, name: str) -> str:
        return str(self.folder / name)

    def write(self, config: dict[str, object]) -> None:
        text = yaml.safe_dump({"config": config})
        (self.folder / "Pulumi.one.yaml").write_text(text)
        self.stack_dir.settings.write_text(text)

    def config(self) -> StackConfig:
        return load(self.folder / "Pulumi.one.yaml")

    def digest(self) -> str:
        return inputs_digest(
            self.config(), self.stack_dir, self.folder, self.environment, self.tools
        )


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Site:
    monkeypatch.delenv("MLOPS_INFRA_SEED_FILE", raising=False)
    package = tmp_path / "program"
    package.mkdir()
    (package / "program.py").write_text("a = 1\n")
    monkeypatch.setattr(last_run.stacks, "__path__", [str(package)])
    return Site(tmp_path)


def _variable(site: Site) -> None:
    site.environment["REGISTRY_USER"] = "you"


def _node(site: Site) -> None:
    site.environment["MLOPS_INFRA_NODE_ADDRESS"] = "10.0.0.3"


def _option(site: Site) -> None:
    site.environment["PULUMI_K8S_CLIENT_QPS"] = "5"


def _tools(site: Site) -> None:
    site.tools = Tools(TOOLS.pulumi, "2", TOOLS.folders)


def _written(name: str, text: str) -> Callable[[Site], None]:
    return lambda site: (site.folder / name).write_text(text) and None


def _provider_setting(site: Site) -> None:
    found = yaml.safe_load(site.stack_dir.settings.read_text())
    found["config"]["kubernetes:clusterIdentifier"] = "other"
    site.stack_dir.settings.write_text(yaml.safe_dump(found))


def _authority(site: Site) -> None:
    file = site.folder / "ca.pem"
    file.write_text(file.read_text() * 2)


def _removed(site: Site) -> None:
    (site.folder / "charts" / "valkey" / "values.yaml").unlink()


CHANGES: dict[str, Callable[[Site], None]] = {
    "a variable that a secret refers to": _variable,
    "a file that a secret refers to": _written("password", "second\n"),
    "the seed": _written("stack/seed", "t" * 40),
    "the node's address": _node,
    "a variable of the provider": _option,
    "a tool": _tools,
    "a setting of a provider": _provider_setting,
    "a default of the project": _written("stack/project/Pulumi.yaml", "config: {policy: {}}\n"),
    "the site's certificates": _authority,
    "a chart": _written("charts/valkey/values.yaml", "size: 2Gi\n"),
    "a new file of a chart": _written("charts/valkey/templates/more.yaml", "a: b\n"),
    "a file less": _removed,
    "the program": _written("program/program.py", "a = 2\n"),
}


@pytest.mark.parametrize("name", CHANGES)
def test_whatever_a_preview_reads_is_in_the_digest(site: Site, name: str) -> None:
    before = site.digest()
    assert before
    assert before == site.digest()
    CHANGES[name](site)
    assert site.digest() not in {before, ""}


def test_a_new_period_of_certificates_is_in_the_digest(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = site.digest()
    monkeypatch.setattr(last_run.certificates, "period", lambda _now: 1)
    assert site.digest() != before


def test_what_no_preview_reads_is_not(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    before = site.digest()
    monkeypatch.setenv("PATH", "/elsewhere")
    (site.folder / "program" / "__pycache__").mkdir()
    (site.folder / "program" / "__pycache__" / "program.pyc").write_bytes(b"x")
    (site.folder / "charts" / "valkey" / "values.yaml").touch()
    with site.stack_dir.settings.open("a") as settings:  # as Pulumi does in the first run
        settings.write("encryptionsalt: v1:abc\n")
    assert site.digest() == before


@pytest.mark.parametrize("lost", ["password", "stack/seed"])
def test_a_secret_that_cannot_be_read_equals_nothing(site: Site, lost: str) -> None:
    (site.folder / lost).unlink()
    assert site.digest() == ""


def test_charts_of_a_registry_may_change_unseen(site: Site) -> None:
    charts = {"charts": "oci://registry.example/charts"}
    basics = {"mlops-infra:profile": "onprem", "mlops-infra:environment": "dev"}
    site.write({**basics, "mlops-infra:network": charts})
    assert site.digest() == ""


def test_the_last_run_answers_for_the_same_alone(tmp_path: Path) -> None:
    stack_dir = StackDir("one", tmp_path)
    given = Given("asked", "inputs")
    assert LastRun.of(stack_dir).result(Given(), STATE) is None, "there was no run"
    LastRun(given, state_digest(STATE)).keep(stack_dir)
    last = LastRun.of(stack_dir)
    result = last.result(given, STATE)
    assert result is not None
    assert (result.changed, result.outputs["tracking_uri"]) == (0, OUTPUTS["tracking_uri"])
    assert last.result(Given("other", "inputs"), STATE) is None
    assert last.result(Given("asked", "other"), STATE) is None
    assert last.result(given, {**STATE, "pending_operations": [{"type": "creating"}]}) is None
    changed = [STATE["resources"][0], {**STATE["resources"][1], "inputs": {}}]
    assert last.result(given, {"resources": changed}) is None
    assert last.result(given, {}) is None


@pytest.mark.parametrize("text", ["", "0f3a", "{}", '{"given": 1, "state": 2}', "[1]"])
def test_the_note_of_another_release_is_none(tmp_path: Path, text: str) -> None:
    (tmp_path / "applied").write_text(text)
    assert LastRun.of(StackDir("one", tmp_path)) == LastRun()
