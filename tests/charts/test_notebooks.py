"""Notebooks of both kinds, the kit's own and Kubeflow's: a token always, each person their own.

What real servers answer to which token is asked in tests/e2e/test_runtime_image.py.
"""

from __future__ import annotations

import pytest

from tests.charts.rendering import Manifest, containers, one, render, template, text

CHARTS = ("notebooks", "kubeflow-notebooks")
TOKEN = "/run/secrets/notebook"


def notebooks(chart: str) -> dict[tuple[str, str], Manifest]:
    """The Pod template of each person's notebook, by namespace and the person's Secret."""
    kind = "StatefulSet" if chart == "notebooks" else "Notebook"
    found = [each for each in render(chart) if each["kind"] == kind]
    return {
        (each["metadata"]["namespace"], each["metadata"]["labels"]["mlops-infra.dev/tenant"]): (
            template(each)
        )
        for each in found
    }


@pytest.mark.parametrize("chart", CHARTS)
def test_each_notebook_opens_with_its_own_persons_token_alone(chart: str) -> None:
    found = notebooks(chart)
    assert found.keys() == {("tenant-demo", "demo"), ("tenant-vision", "vision")}
    secrets = {}
    for (namespace, _), pod in found.items():
        (container,) = containers(pod)
        mounts = {mount["mountPath"]: mount["name"] for mount in container["volumeMounts"]}
        volumes = {volume["name"]: volume for volume in pod["spec"]["volumes"]}
        secrets[namespace] = volumes[mounts[TOKEN]]["secret"]["secretName"]
        others = [each for each in volumes.values() if "secret" in each]
        assert len(others) == 1, "a person's Pod holds no other token"
    assert secrets == {"tenant-demo": "notebook-kim", "tenant-vision": "notebook-lee"}


@pytest.mark.parametrize("chart", CHARTS)
def test_no_argument_or_variable_sets_or_shows_a_notebooks_token(chart: str) -> None:
    for pod in notebooks(chart).values():
        (container,) = containers(pod)
        words = [*container["command"], *container.get("args", ())]
        assert words == ["python3", "-m", "jupyterlab", words[-1]]
        assert words[-1].startswith("--config=/etc/notebook/")
        assert not any("JUPYTER_TOKEN" in each["name"] for each in container["env"])


def test_both_kinds_ask_in_the_same_way() -> None:
    """So what is seen of one real server goes for the other."""
    files = set()
    for chart in CHARTS:
        for namespace in ("tenant-demo", "tenant-vision"):
            (config,) = (
                each["data"]["jupyter_server_config.py"]
                for each in render(chart)
                if each["kind"] == "ConfigMap" and each["metadata"]["namespace"] == namespace
            )
            compile(config, "jupyter_server_config.py", "exec")
            files.add(config)
    assert len(files) == 1


@pytest.mark.parametrize("chart", CHARTS)
def test_a_notebook_is_ready_once_it_answers(chart: str) -> None:
    for (namespace, tenant), pod in notebooks(chart).items():
        (container,) = containers(pod)
        prefix = f"/notebook/{tenant if chart == 'notebooks' else namespace}/"
        for probe in ("startupProbe", "readinessProbe", "livenessProbe"):
            path = container[probe]["httpGet"]["path"]
            assert path.startswith(prefix)
            assert path.endswith("/api"), "the one page that needs no token"


def test_kubeflows_controller_neither_asks_notebooks_nor_stops_them() -> None:
    """It would ask without a token, hear of no kernel, and stop those who work."""
    pod = template(one(render("kubeflow-notebooks"), "Deployment", "notebook-controller"))
    (container,) = containers(pod)
    env = {each["name"]: each.get("value") for each in container["env"]}
    assert env["ENABLE_CULLING"] == "false"
    policy = one(render("kubeflow-notebooks"), "NetworkPolicy")
    ports = {port["port"] for rule in policy["spec"]["egress"] for port in rule["ports"]}
    assert 8888 not in ports
    assert "CULL_KERNEL_SECONDS" in text("kubeflow-notebooks")


def test_notebooks_see_the_model_servers_of_both_engines_and_change_none() -> None:
    rules = one(render("tenant"), "Role", "notebook")["rules"]
    verbs = {resource: set(rule["verbs"]) for rule in rules for resource in rule["resources"]}
    for kind in ("inferenceservices", "seldondeployments"):
        assert verbs[kind] == {"get", "list", "watch"}
