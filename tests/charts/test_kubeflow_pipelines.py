"""Kubeflow Pipelines with the tenants of a stack: what a trial of upstream's images found."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
import yaml

from mlops_infra.lifecycle.pipeline.definition.arguments import complete
from mlops_infra.lifecycle.pipeline.definition.standard import standard
from mlops_infra.lifecycle.pipeline.engines import kfp
from mlops_infra.lifecycle.pipeline.submission.kfp_channel import AUDIENCE
from tests.charts.rendering import Manifest, containers, one, planned_render, pods, render

CHART, STACK, TENANT = "kubeflow-pipelines", "onprem-dev", "tenant-vision"
TOKEN = r"[!#$%&'*+.^_`|~0-9A-Za-z-]+"
"""Names of headers by RFC 9110; servers refuse a request with any other."""


def _tenant() -> list[Manifest]:
    return planned_render(STACK, TENANT)[1]


def _env(workload: str) -> dict[str, Any]:
    pod = pods(render(CHART))[workload]
    return {v["name"]: v.get("value") for c in containers(pod) for v in c.get("env", [])}


def _allowed(account: str, namespace: str, objects: list[Manifest]) -> set[tuple[str, str, str]]:
    """Group, resource and verb that an account has in the tenant's namespace alone."""
    roles = {
        (m["kind"], m["metadata"]["name"]): m["rules"]
        for m in objects
        if m["kind"] in ("Role", "ClusterRole")
    }
    return {
        (group, resource, verb)
        for m in objects
        if m["kind"] == "RoleBinding" and m["metadata"].get("namespace") == TENANT
        for subject in m["subjects"]
        if (subject["name"], subject.get("namespace")) == (account, namespace)
        for rule in roles[(m["roleRef"]["kind"], m["roleRef"]["name"])]
        for group in rule["apiGroups"]
        for resource in rule["resources"]
        for verb in rule["verbs"]
    }


def test_the_api_server_is_given_what_it_does_not_start_without() -> None:
    env = _env("Deployment/ml-pipeline")
    assert env["ML_PIPELINE_VISUALIZATIONSERVER_SERVICE_HOST"]
    assert env["ML_PIPELINE_VISUALIZATIONSERVER_SERVICE_PORT"]


def test_nobody_is_believed_who_brings_a_name_and_no_token() -> None:
    """Whoever reaches the server could send a header; none can have the name that it waits for."""
    env = _env("Deployment/ml-pipeline")
    assert env["MULTIUSER"] == env["REQUIRE_NAMESPACE_FOR_PIPELINES"] == "true"
    assert env["KUBEFLOW_USERID_HEADER"]  # upstream's default takes the place of an empty one
    assert not re.fullmatch(TOKEN, env["KUBEFLOW_USERID_HEADER"])
    assert "MULTIUSER_SHARED_READ" not in env


@pytest.mark.parametrize("role", ["ml-pipeline-persistenceagent", "ml-pipeline-scheduledworkflow"])
def test_controllers_show_a_token_for_the_api_server_alone(role: str) -> None:
    pod = pods(render(CHART))[f"Deployment/{role}"]["spec"]
    volume = next(v for v in pod["volumes"] if v["name"] == "api-token")
    token = volume["projected"]["sources"][0]["serviceAccountToken"]
    assert token["audience"] == AUDIENCE
    # runs are in the tenants' namespaces
    assert "--namespace=" in pod["containers"][0]["args"]


def test_the_platform_changes_only_what_is_in_tenants() -> None:
    for manifest in render(CHART):
        if manifest["kind"] == "ClusterRoleBinding":
            role = one(render(CHART), "ClusterRole", manifest["roleRef"]["name"])
            for rule in role["rules"]:
                if set(rule["apiGroups"]) & {"", "argoproj.io", "kubeflow.org"}:
                    assert set(rule["verbs"]) <= {"get", "list", "watch"}


def test_controllers_may_work_on_a_run_where_it_is() -> None:
    """Without Argo's rights a run stays RUNNING for ever."""
    objects = _tenant() + [
        m for name in (CHART, "argo-workflows") for m in planned_render(STACK, name)[1]
    ]
    argo = _allowed("argo-workflows", "argo", objects) or _allowed(
        "argo-workflows", "argo-workflows", objects
    )
    assert ("argoproj.io", "workflows", "update") in argo
    assert ("", "pods", "create") in argo
    server = _allowed("ml-pipeline", "kubeflow", objects)
    assert ("argoproj.io", "workflows", "create") in server
    assert ("", "secrets", "get") in server
    scheduler = _allowed("ml-pipeline-scheduledworkflow", "kubeflow", objects)
    # asked by the API server before it starts a run for a schedule
    assert ("pipelines.kubeflow.org", "runs", "create") in scheduler


def test_the_api_server_has_no_logs_to_give_away() -> None:
    """Its address for logs of steps asks nobody who they are."""
    objects = _tenant() + planned_render(STACK, CHART)[1]
    assert {
        (resource, verb)
        for group, resource, verb in _allowed("ml-pipeline", "kubeflow", objects)
        if group == "" and resource.startswith("pods")
    } == {("pods", "delete")}


def test_argo_finds_a_place_for_artifacts_where_a_run_is() -> None:
    defaults = next(
        m["data"]["workflowDefaults"]
        for m in planned_render(STACK, "argo-workflows")[1]
        if m["kind"] == "ConfigMap" and "workflowDefaults" in m["data"]
    )
    name = yaml.safe_load(defaults)["spec"]["artifactRepositoryRef"]["configMap"]
    assert one(_tenant(), "ConfigMap", name)["metadata"]["namespace"] == TENANT


def test_pods_of_runs_can_ask_kubernetes_and_read_their_store() -> None:
    account = _env("Deployment/ml-pipeline")["DEFAULTPIPELINERUNNERSERVICEACCOUNT"]
    objects = _tenant()
    assert one(objects, "ServiceAccount", account)["automountServiceAccountToken"] is True
    allowed = _allowed(account, TENANT, objects)
    for need in (
        ("", "configmaps", "get"),
        ("", "secrets", "get"),
        ("", "pods", "get"),
        ("argoproj.io", "workflowtaskresults", "create"),
    ):
        assert need in allowed


def test_artifacts_of_a_run_go_to_its_tenants_bucket_by_its_own_keys() -> None:
    component, objects = planned_render(STACK, TENANT)
    launcher = one(objects, "ConfigMap", "kfp-launcher")["data"]
    assert launcher["defaultPipelineRoot"].startswith(f"s3://{TENANT}/")
    store = yaml.safe_load(launcher["providers"])["s3"]["default"]
    secret = store["credentials"]["secretRef"]
    keys = next(s.keys for s in component.secrets if s.name == secret["secretName"])
    assert {secret["accessKeyKey"], secret["secretKeyKey"]} == set(keys)
    assert "root" not in secret["secretName"]


def test_steps_find_every_secret_and_config_map_that_they_name() -> None:
    component, objects = planned_render(STACK, TENANT)
    pipeline = standard("tabular-classification")
    _, platform = kfp.documents(pipeline, complete({}, pipeline), image="runtime")
    secrets = {s.name: set(s.keys) for s in component.secrets}
    maps = {m["metadata"]["name"]: m["data"] for m in objects if m["kind"] == "ConfigMap"}
    for step in platform["platforms"]["kubernetes"]["deploymentSpec"]["executors"].values():
        for named in step["secretAsEnv"]:
            if not named["optional"] or named["secretName"] in secrets:
                wanted = {each["secretKey"] for each in named["keyToEnv"]}
                assert wanted <= secrets[named["secretName"]]
        for named in step["configMapAsEnv"]:
            found = maps[named["configMapName"]]
            assert {each["configMapKey"] for each in named["keyToEnv"]} <= set(found)


def test_no_variable_of_a_step_comes_twice() -> None:
    """The plug-in for MLflow adds some of the same names to a Pod, which is then refused."""
    maps = [m["data"] for m in planned_render(STACK, CHART)[1] if m["kind"] == "ConfigMap"]
    config = next(json.loads(m["config.json"]) for m in maps if "config.json" in m)
    assert config["plugins"]["mlflow"]["settings"]["injectUserEnvVars"] is False
    pipeline = standard("tabular-classification")
    ir, platform = kfp.documents(pipeline, complete({}, pipeline), image="runtime")
    executors = platform["platforms"]["kubernetes"]["deploymentSpec"]["executors"]
    for name, step in executors.items():
        given = [v["name"] for v in ir["deploymentSpec"]["executors"][name]["container"]["env"]]
        given += [k["envVar"] for kind in step.values() for m in kind for k in m["keyToEnv"]]
        assert len(given) == len(set(given))


def test_a_login_for_mlflow_is_the_tenants_own() -> None:
    component, objects = planned_render(STACK, TENANT)
    kubeflow, _ = planned_render(STACK, CHART)
    login = next((s for s in component.secrets if s.name == "kfp-mlflow-credentials"), None)
    told = "plugins.mlflow" in one(objects, "ConfigMap", "kfp-launcher")["data"]
    assert told is (login is not None)
    assert not any("mlflow" in s.name for s in kubeflow.secrets)


def test_pods_of_a_tenant_reach_what_runs_need() -> None:
    """Their own policy lets them out, and that of the server lets them in."""
    _, objects = planned_render(STACK, TENANT)
    component, theirs = planned_render(STACK, CHART)
    out = {
        (to["namespaceSelector"]["matchLabels"]["kubernetes.io/metadata.name"], port["port"])
        for rule in one(objects, "NetworkPolicy", "platform")["spec"]["egress"]
        for to in rule.get("to", [])
        if "namespaceSelector" in to
        for port in rule["ports"]
    }
    assert {("kubeflow", 8888), ("kubeflow", 8887), ("kubeflow", 8080)} <= out
    assert ("mlops-stores", 6379) in out
    assert ("lifecycle", 8080) in out
    for policy, port in (("ml-pipeline", 8888), ("ml-pipeline", 8887), ("metadata-grpc", 8080)):
        rules = one(theirs, "NetworkPolicy", policy)["spec"]["ingress"]
        spaces = {
            peer["namespaceSelector"]["matchLabels"]["kubernetes.io/metadata.name"]
            for rule in rules
            if port in {each["port"] for each in rule["ports"]}
            for peer in rule["from"]
            if "namespaceSelector" in peer
        }
        assert {"tenant-vision", "tenant-demand"} <= spaces
    assert component.namespace == "kubeflow"


def test_the_clients_account_has_no_rights_but_at_the_api_server() -> None:
    allowed = _allowed("pipelines-client", TENANT, _tenant())
    assert {group for group, _, _ in allowed} == {"pipelines.kubeflow.org"}
    assert ("pipelines.kubeflow.org", "runs", "create") in allowed
    notebook = _allowed("notebook", TENANT, _tenant())
    assert ("", "serviceaccounts/token", "create") in notebook
