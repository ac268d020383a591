"""Charts whose software cannot be run here: the traps that upstream's own packaging holds."""

from __future__ import annotations

import json
from typing import Any

import pytest
import yaml

from mlops_infra.lifecycle.serving import seldon
from tests.charts.rendering import (
    CASES,
    CHARTS,
    NAMES,
    Manifest,
    both,
    config_file,
    containers,
    defaults,
    one,
    planned_render,
    pods,
    render,
    text,
)

WITH_WEBHOOKS = ("cloudnative-pg", "katib", "seldon-core", "trainer")


def _env(chart: str, workload: str, values: Manifest | None = None) -> dict[str, Any]:
    pod = pods(render(chart, values))[workload]
    return {v["name"]: v.get("value") for c in containers(pod) for v in c.get("env", [])}


def _webhooks(manifests: list[Manifest]) -> list[Manifest]:
    return [
        hook
        for m in manifests
        if m["kind"].endswith("WebhookConfiguration")
        for hook in m["webhooks"]
    ]


@pytest.mark.parametrize("chart", WITH_WEBHOOKS)
def test_webhooks_are_those_of_the_chart_and_can_be_left_out(chart: str) -> None:
    """Where Pods are simulated nobody answers: every resource would be refused."""
    values = both(CASES[chart].values, {"webhook": {"caBundle": "Q0E="}})
    manifests = render(chart, values)
    services = {m["metadata"]["name"] for m in manifests if m["kind"] == "Service"}
    hooks = _webhooks(manifests)
    assert hooks
    for hook in hooks:
        assert hook["clientConfig"]["caBundle"] == "Q0E="
        assert hook["clientConfig"]["service"]["name"] in services
    assert not _webhooks(render(chart, both(values, {"webhook": {"enabled": False}})))


@pytest.mark.parametrize("chart", NAMES)
def test_an_installation_waits_for_resources_only_where_an_operator_runs(chart: str) -> None:
    variants = [CASES[chart].values, *(both(CASES[chart].values, v) for v in CASES[chart].variants)]
    waiting = [v for v in variants if "pulumi.com/waitFor" in text(chart, v)]
    assert bool(waiting) == ("awaitReady" in defaults(chart))
    for values in waiting:
        assert "pulumi.com/waitFor" not in text(chart, both(values, {"awaitReady": False}))


def test_pipelines_know_no_mlflow_but_the_one_they_are_told() -> None:
    """Upstream's image sends every run to an MLflow of another product, with 60 s of patience."""
    assert "plugins" not in json.loads(config_file("kubeflow-pipelines", "config.json"))
    values = {"mlflow": {"endpoint": "http://mlflow.mlflow.svc:5000"}}
    told = json.loads(config_file("kubeflow-pipelines", "config.json", values))["plugins"]["mlflow"]
    assert told["endpoint"] == "http://mlflow.mlflow.svc:5000"
    assert told["settings"]["authType"] == "none"
    login = {"mlflow": {**values["mlflow"], "login": True}}
    told = json.loads(config_file("kubeflow-pipelines", "config.json", login))["plugins"]["mlflow"]
    assert told["settings"]["authType"] == "basic-auth"


def test_the_seldon_webhook_can_read_what_its_client_copies() -> None:
    """Its informer lists ConfigMaps of the whole cluster: without the right each call times out."""
    manifests = render("seldon-core")
    rules = one(manifests, "ClusterRole")["rules"]
    readable = {r: set(rule["verbs"]) for rule in rules for r in rule["resources"]}
    assert readable["configmaps"] >= {"get", "list", "watch"}
    assert "secrets" not in readable, "no key of anybody: promotion names the loader's Secret"
    assert {hook["timeoutSeconds"] for hook in _webhooks(manifests)} == {30}


def test_the_gateway_reaches_seldons_model_servers() -> None:
    env = _env("seldon-core", "Deployment/seldon-manager")
    port = int(env["PREDICTIVE_UNIT_HTTP_SERVICE_PORT"])
    assert port == seldon.PORT
    assert port in defaults("lifecycle")["networkPolicy"]["modelPorts"]
    assert port in defaults("tenant")["networkPolicy"]["ports"]
    assert env["EXECUTOR_SERVER_PORT"] != str(port), "both may stand in one Pod"


def test_prometheus_reaches_the_metrics_of_seldons_model_servers() -> None:
    assert _env("seldon-core", "Deployment/seldon-manager")[
        "PREDICTIVE_UNIT_METRICS_PORT_NAME"
    ] == ("metrics")
    assert seldon.METRICS_PORT in defaults("tenant")["networkPolicy"]["ports"]


def test_runs_of_pipelines_take_our_images_and_pass_pod_security() -> None:
    env = _env("kubeflow-pipelines", "Deployment/ml-pipeline")
    assert env["V2_DRIVER_IMAGE"] == defaults("kubeflow-pipelines")["images"]["driver"]
    assert env["DEFAULT_SECURITY_CONTEXT_RUN_AS_NON_ROOT"] == "true"
    assert json.loads(config_file("kubeflow-pipelines", "sample_config.json"))["pipelines"] == []


def test_the_metadata_server_is_given_its_password_in_a_file() -> None:
    words = json.dumps(pods(render("kubeflow-pipelines"))["Deployment/metadata-grpc"])
    assert "mysql_config_password" not in words
    assert "--metadata_store_server_config_file=" in words


def test_mysql_knows_the_only_way_that_the_metadata_server_signs_in() -> None:
    server = pods(render("kubeflow-pipelines"))["StatefulSet/kubeflow-pipelines-mysql"]
    args = server["spec"]["containers"][0]["args"]
    assert {"--mysql-native-password=ON", "--authentication-policy=mysql_native_password"} <= set(
        args
    )


def test_seaweedfs_listens_to_others_for_objects_and_metrics_alone() -> None:
    server = pods(render("seaweedfs"))["StatefulSet/seaweedfs"]["spec"]
    args = set(server["containers"][0]["args"])
    assert {"-ip.bind=127.0.0.1", "-s3.ip.bind=0.0.0.0", "-metricsIp=0.0.0.0"} <= args
    assert {"-s3.port.iceberg=0", "-s3.port.lance=0"} <= args
    # it took 28 s to end: the volume server alone waits 10 s for others to notice
    assert server["terminationGracePeriodSeconds"] >= 60
    named = {
        v["name"]: v["valueFrom"]["secretKeyRef"]
        for v in server["containers"][0]["env"]
        if "valueFrom" in v
    }
    assert named == {
        "WEED_JWT_FILER_SIGNING_KEY": {"name": "seaweedfs-keys", "key": "signing"},
        "WEED_S3_SSE_KEY": {"name": "seaweedfs-keys", "key": "encryption"},
    }


def test_nothing_phones_home() -> None:
    args = pods(render("seaweedfs"))["StatefulSet/seaweedfs"]["spec"]["containers"][0]["args"]
    assert "-master.telemetry=false" in args
    ini = config_file("grafana", "grafana.ini")
    for key in ("reporting_enabled", "check_for_updates", "news_feed_enabled"):
        assert f"{key} = false" in ini


def test_a_store_without_a_list_of_accounts_would_serve_everybody() -> None:
    server = pods(render("seaweedfs"))["StatefulSet/seaweedfs"]["spec"]
    assert "-s3.config=/run/seaweedfs/s3.json" in server["containers"][0]["args"]
    assert server["initContainers"][0]["command"][-1].endswith("identities.sh")


@pytest.mark.parametrize("file", sorted(CHARTS.glob("grafana/files/dashboards/*.json")), ids=str)
def test_dashboards_ask_our_prometheus_alone(file: Any) -> None:
    board = json.loads(file.read_text("utf-8"))
    assert board["uid"] == file.stem
    assert not board["editable"]
    sources = {json.dumps(panel["datasource"]) for panel in board["panels"]}
    assert sources == {json.dumps({"type": "prometheus", "uid": "prometheus"})}
    assert all(target["expr"] for panel in board["panels"] for target in panel["targets"])


def test_katib_names_every_image_that_it_starts_later() -> None:
    config = yaml.safe_load(config_file("katib", "katib-config.yaml"))
    runtime = config["runtime"]
    named = {entry["image"] for kind in runtime.values() for entry in kind}
    images = defaults("katib")["images"]
    assert named == {i for r, i in images.items() if r not in ("controller", "dbManager", "ui")}
    for entry in runtime["suggestions"]:
        assert entry["securityContext"]["runAsNonRoot"] is True
        # our one image has all services and must be told which; medianstop is what it runs unasked
        assert [images[service] for service in entry["args"]] == [entry["image"]]
    for entry in [each for kind in runtime.values() for each in kind]:
        # else it asks for 500Mi of disk, which no node has that reports none
        assert {m["ephemeral-storage"] for m in entry["resources"].values()} == {"-1"}
    assert config["init"]["controller"]["injectSecurityContext"] is True


def test_katib_finds_its_configuration_and_is_asked_about_its_health_as_it_answers() -> None:
    """It asks the API for the ConfigMap `katib-config`, whatever file it was started with."""
    manifests = render("katib")
    config = one(manifests, "ConfigMap", "katib-config")
    assert not config.get("immutable")
    controller = pods(manifests)["Deployment/katib-controller"]
    (volume,) = [v for v in controller["spec"]["volumes"] if v["name"] == "config"]
    assert volume["configMap"]["name"] == "katib-config"
    changed = render("katib", {"trials": {"collector": {"limits": {"memory": "1Gi"}}}})
    after = pods(changed)["Deployment/katib-controller"]["metadata"]["annotations"]
    assert after != controller["metadata"]["annotations"], "a changed text starts it again"
    server = pods(manifests)["Deployment/katib-db-manager"]["spec"]["containers"][0]
    assert server["readinessProbe"]["grpc"]["service"] == "grpc.health.v1.Health"


def test_katibs_page_asks_who_somebody_is_and_what_he_may_see() -> None:
    assert _env("katib", "Deployment/katib-ui")["APP_DISABLE_AUTH"] == "false"
    rules = one(render("katib"), "ClusterRole", "katib-ui")["rules"]
    assert any("subjectaccessreviews" in rule["resources"] for rule in rules)


def test_katibs_server_of_metrics_answers_what_belongs_to_experiments_alone() -> None:
    """It asks nobody who he is: no other Pod of a tenant may connect, and no page of the edge."""
    manifests = render("katib", {"trials": {"namespaces": ["tenant-demo"]}})
    rules = one(manifests, "NetworkPolicy", "katib-db-manager")["spec"]["ingress"]
    (tenants,) = [peer for r in rules for peer in r["from"] if "namespaceSelector" in peer]
    (space,) = tenants["namespaceSelector"]["matchExpressions"]
    assert space["values"] == ["tenant-demo"]
    assert tenants["podSelector"]["matchExpressions"] == [
        {"key": "katib.kubeflow.org/experiment", "operator": "Exists"}
    ]
    assert one(render("katib"), "NetworkPolicy", "katib-ui")["spec"]["ingress"] == []
    edge, _ = planned_render("kubeflow", "envoy-gateway")
    assert [route["name"] for route in edge.values["routes"]] == ["mlflow"]


def test_katib_may_grant_what_a_service_that_stops_trials_early_gets() -> None:
    """A Role with more than its maker has is refused."""
    rules = one(render("katib"), "ClusterRole", "katib-controller")["rules"]
    (granted,) = [rule for rule in rules if "trials/status" in rule["resources"]]
    assert {"trials", "trials/status"} <= set(granted["resources"])
    assert granted["verbs"] == ["*"]


def test_clients_of_postgresql_need_not_know_how_many_servers_there_are() -> None:
    spec = one(render("cloudnative-pg", CASES["cloudnative-pg"].variants[0]), "Cluster")["spec"]
    (service,) = spec["managed"]["services"]["additional"]
    assert service["serviceTemplate"]["metadata"]["name"] == "postgresql"
    assert service["selectorType"] == "rw"
    rules = spec["postgresql"]["pg_hba"]
    assert 'host "lifecycle" "tenant_demo" all scram-sha-256' in rules
    assert rules[-1] == "host all all all reject"


def test_the_operator_of_postgresql_may_watch_all_that_it_watches() -> None:
    """What it may not list holds its start up: leases and endpoints of plug-ins too."""
    rules = [rule for m in render("cloudnative-pg") if m["kind"] == "Role" for rule in m["rules"]]
    for resource in ("leases", "endpointslices", "secrets", "pods", "jobs"):
        assert any(
            resource in rule["resources"] and {"list", "watch"} <= set(rule["verbs"])
            for rule in rules
        ), resource


def test_roles_of_postgresql_may_connect() -> None:
    """The definition has no defaults: a role without a limit would get a limit of none."""
    spec = one(render("cloudnative-pg", CASES["cloudnative-pg"].variants[0]), "Cluster")["spec"]
    assert {role["connectionLimit"] for role in spec["managed"]["roles"]} == {-1}
    assert (spec["postgresUID"], spec["postgresGID"]) == (26, 26)


def test_training_runtimes_are_plain_objects() -> None:
    """Upstream's come from a Pod that fetches a program from the internet, as root."""
    assert "apk add" not in text("trainer")
    runtimes = [m for m in render("trainer") if m["kind"] == "ClusterTrainingRuntime"]
    assert {m["metadata"]["name"] for m in runtimes} == {"torch-distributed", "python"}
    for runtime in runtimes:
        assert (
            runtime["metadata"]["labels"]["trainer.kubeflow.org/webhook-validation"] == "disabled"
        )


def test_jobs_are_admitted_before_anybody_makes_one() -> None:
    """JobSet's controller crashes on a set that its webhook did not complete."""
    for name in ("jobset-controller-manager", "kubeflow-trainer-controller-manager"):
        service = one(render("trainer"), "Service", name)
        assert service["metadata"]["annotations"]["pulumi.com/skipAwait"] == "false"


def test_trainer_is_told_every_time_of_its_election() -> None:
    """It fills in nothing beside what is written there, and ends at once with a lease of 0 s."""
    texts = [
        yaml.safe_load(m["data"]["controller_manager_config.yaml"])
        for m in render("trainer")
        if m["kind"] == "ConfigMap"
    ]
    (manager,) = [each for each in texts if each["apiVersion"].startswith("config.trainer.")]
    assert {"leaseDuration", "renewDeadline", "retryPeriod"} <= set(manager["leaderElection"])


def test_nobody_scrapes_jobset_which_answers_authorised_accounts_alone() -> None:
    scraped = {
        name: "prometheus.io/scrape" in pod["metadata"].get("annotations", {})
        for name, pod in pods(render("trainer")).items()
    }
    assert scraped == {
        "Deployment/jobset-controller-manager": False,
        "Deployment/kubeflow-trainer-controller-manager": True,
    }


def test_trainers_controllers_may_tell_events_and_end_what_is_late() -> None:
    for name in ("jobset-controller-manager", "kubeflow-trainer-controller-manager"):
        rules = [
            rule
            for role in render("trainer")
            if role["kind"] == "ClusterRole" and role["metadata"]["name"] == name
            for rule in role["rules"]
        ]
        assert {"": "create", "events.k8s.io": "create"}.items() <= {
            group: "create"
            for rule in rules
            if "events" in rule["resources"] and "create" in rule["verbs"]
            for group in rule["apiGroups"]
        }.items()
        (sets,) = [rule for rule in rules if rule["resources"] == ["jobsets"]]
        assert "delete" in sets["verbs"]


def test_kubeflow_notebooks_route_without_istio() -> None:
    env = _env("kubeflow-notebooks", "Deployment/notebook-controller")
    assert env["USE_ISTIO"] == "false"
    notebook = one(render("kubeflow-notebooks"), "Notebook", "kim")
    assert notebook["metadata"]["namespace"] == "tenant-demo"
    assert notebook["spec"]["template"]["spec"]["securityContext"]["runAsNonRoot"] is True


def test_airflow_waits_for_its_tables_and_holds_no_password_in_an_address() -> None:
    for name, pod in pods(render("airflow")).items():
        env = {v["name"]: v.get("value") for c in containers(pod) for v in c.get("env", [])}
        assert env["AIRFLOW__DATABASE__SQL_ALCHEMY_CONN"] == "postgresql+psycopg2://"
        waits = [c for c in pod["spec"].get("initContainers", []) if c["name"] == "wait"]
        assert bool(waits) == name.startswith("Deployment/")


def test_servers_of_postgresql_ask_for_slots_twice_a_minute() -> None:
    """Its own code takes a missing number for nanoseconds: a core for every two servers."""
    assert one(render("cloudnative-pg"), "Cluster")["spec"]["replicationSlots"] == {
        "updateInterval": 30
    }
