from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from mlops_infra.kubeprovider import choose, install, official_plugin
from mlops_infra.kubeprovider.kubeconfig import read_access
from mlops_infra.kubeprovider.problems import ProviderError
from mlops_infra.kubeprovider.settings import Settings, read_settings, refused
from mlops_infra.kubeprovider.values import UNKNOWN


def test_the_official_plugin_is_taken_where_it_is_installed(tmp_path: Path) -> None:
    home, folder = tmp_path / "home", tmp_path / "bin"
    stand_in = choose(home, folder)
    assert stand_in.stand_in
    assert stand_in.path_entries == (folder,)
    assert "official plugin 4.32.0 not available" in stand_in.announcement
    assert os.access(folder / "pulumi-resource-kubernetes", os.X_OK)

    plugin = home / "plugins" / "resource-kubernetes-v4.32.0" / "pulumi-resource-kubernetes"
    plugin.parent.mkdir(parents=True)
    plugin.touch(mode=0o755)
    official = choose(home, folder)
    assert (official.stand_in, official.path) == (False, plugin)
    # left on PATH, the launcher would win over it
    assert not (folder / "pulumi-resource-kubernetes").exists()

    plugin.parent.with_name(plugin.parent.name + ".partial").touch()
    assert official_plugin(home) is None


def test_the_launcher_runs_a_python_in_a_folder_with_spaces(tmp_path: Path) -> None:
    launcher = install(tmp_path, Path("/opt/my python/bin/python"))
    assert "exec '/opt/my python/bin/python' -P -m mlops_infra.kubeprovider" in launcher.read_text()


def kubeconfig(**user: str) -> str:
    return json.dumps(
        {
            "current-context": "one",
            "clusters": [{"name": "c", "cluster": {"server": "https://h:6443/"}}],
            "contexts": [{"name": "one", "context": {"cluster": "c", "user": "u"}}],
            "users": [{"name": "u", "user": user}],
        }
    )


def test_a_kubeconfig_is_read_from_text_and_from_a_file(tmp_path: Path) -> None:
    text = kubeconfig(token="token-1")
    file = tmp_path / "config"
    file.write_text(text)
    for given in (text, str(file)):
        access = read_access(Settings(kubeconfig=given))
        assert "token-1" not in repr(access)
        assert (access.server, access.token) == ("https://h:6443", "token-1")


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (Settings(kubeconfig="/nowhere/config"), "/nowhere/config does not exist"),
        (Settings(kubeconfig="{a: [topsecret"), r"not YAML, line \d"),
        (Settings(kubeconfig="{}"), "no clusters"),
        (Settings(kubeconfig=kubeconfig(), context="two"), r"no context 'two' \(it has: one\)"),
    ],
)
def test_an_unusable_kubeconfig_is_explained(settings: Settings, message: str) -> None:
    with pytest.raises(ProviderError, match=message) as failure:
        read_access(settings)
    assert "topsecret" not in str(failure.value)


def test_settings_come_as_json_text() -> None:
    found = read_settings({"enableSecretMutable": "true", "kubeconfig": UNKNOWN})
    assert found.secret_mutable
    assert found.unknown
    assert refused({"renderYamlToDirectory": "/x", "enableServerSideApply": "false"}) == [
        ("renderYamlToDirectory", "needs the official Kubernetes provider"),
        ("enableServerSideApply", "the stand-in always uses server-side apply"),
    ]
