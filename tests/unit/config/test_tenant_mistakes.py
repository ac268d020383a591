"""Mistakes in `tenants`: buckets, pipelines, parameters, and what models refer to."""

from __future__ import annotations

from pathlib import Path

import pytest

from mlops_infra import config
from mlops_infra.lifecycle.pipeline.definition.arguments import complete
from mlops_infra.lifecycle.pipeline.definition.standard import standard
from mlops_infra.parameters import PARAMETERS
from tests.unit.config.test_mistakes import onprem, problems

LIFECYCLE = "mlops-infra:components: {lifecycle: {state: managed}}\n"
EXTERNAL = (
    "mlops-infra:stores: {object: {state: external, endpoint: 'http://s3.example', secret: s}}\n"
    "mlops-infra:secrets: {s: {accessKey: {env: A}, secretKey: {env: B}}}\n"
)


def tenants(text: str) -> str:
    return onprem(f"{LIFECYCLE}mlops-infra:tenants: {{{text}}}")


def model(text: str) -> str:
    return tenants(f"a: {{models: {{wine: {{{text}}}}}}}")


WINE = "tenants.a.models.wine"
MISTAKES = [
    (model("pipeline: nosuch"), f"{WINE}.pipeline", "tabular-classification"),
    (model("pipeline: tabular-baseline"), f"{WINE}.pipeline", "no such pipeline"),
    (model("parameters: {tagret: x}"), f"{WINE}.parameters.tagret", "did you mean 'target'?"),
    (model("parameters: {model: other}"), f"{WINE}.parameters.model", "the declared model"),
    (model("parameters: {seed: often}"), f"{WINE}.parameters.seed", "a whole number"),
    (model("parameters: {canary: '50,10'}"), f"{WINE}.parameters.canary", "10,50"),
    (model("parameters: {hyperparameters: '{'}"), f"{WINE}.parameters.hyperparameters", "JSON"),
    (model("parameters: {algorithm: forrest}"), f"{WINE}.parameters.algorithm", "forest"),
    (model("parameters: {metric: r2}"), f"{WINE}.parameters.metric", "f1_macro"),
    (model("serving: kserv"), f"{WINE}.serving", "kserve"),
    (model("serving: seldon-core"), f"{WINE}.serving", "components.seldon-core.state"),
    (
        onprem("mlops-infra:components: {lifecycle: {settings: {serving: kserve}}}"),
        "components.lifecycle.settings.serving",
        "components.kserve.state",
    ),
    (model("retrain: {schedule: '0 3 * * 7'}"), f"{WINE}.retrain.schedule", "Sunday is 0"),
    (model("retrain: {timezone: Asia/Soul}"), f"{WINE}.retrain.timezone", "Asia/Seoul"),
    (model("retrain: {coolDown: 9999d}"), f"{WINE}.retrain.coolDown", "3650 days"),
    (model("retrain: {metricDrop: {}}"), f"{WINE}.retrain.metricDrop", "never fires"),
    (model("retrain: {newData: {bucket: a..b}}"), f"{WINE}.retrain.newData.bucket", "'..'"),
    (
        model("retrain: {metricDrop: {source: prometheus, metric: up, below: 1}}"),
        f"{WINE}.retrain.metricDrop.source",
        "components.prometheus",
    ),
    (
        model("batch: {j: {source: 's3://10.0.0.1/x', key: [a]}}"),
        f"{WINE}.batch.j.source",
        "IP address",
    ),
    (
        tenants("a: {models: {wine: {batch: {j: {source: 's3://tenant-b/x', key: [a]}}}}}, b: {}"),
        f"{WINE}.batch.j.source",
        "that of tenant b",
    ),
    *(
        (tenants(f"a: {{groups: ['{group}']}}"), "tenants.a.groups", "of Kubernetes itself")
        for group in ("system:masters", "system:authenticated", "system:serviceaccounts:tenant-b")
    ),
    (model("batch: {j: {source: 'sql://a.b.c', key: [a]}}"), f"{WINE}.batch.j.source", "schema"),
    (model("batch: {j: {source: 'sql://a', key: [a, a]}}"), f"{WINE}.batch.j.key", "twice"),
    (
        tenants("a: {models: {wine: {}}}, b: {models: {wine: {}}}"),
        "tenants.b.models.wine",
        "for example b-wine",
    ),
    (
        tenants("a: {pipelineEngine: kfp}"),
        "tenants.a.pipelineEngine",
        "components.kubeflow-pipelines",
    ),
    (tenants("a-s3alias: {}"), "tenants.a-s3alias", "choose another name"),
    (onprem("mlops-infra:tenants: {a: {models: {wine: {}}}}"), "tenants.a.models", "lifecycle"),
    (
        onprem(f"{EXTERNAL}mlops-infra:tenants: {{a: {{bucket: shared}}, b: {{bucket: shared}}}}"),
        "tenants.b.bucket",
        "tenant a",
    ),
    (
        onprem(f"{EXTERNAL}mlops-infra:tenants: {{a: {{bucket: mlflow}}}}"),
        "tenants.a.bucket",
        "MLflow",
    ),
    (
        onprem("mlops-infra:secrets: {s: {k: {kubernetes: {name: a, namespace: b, key: c}}}}"),
        "secrets.s.k.kubernetes",
        "kubectl get secret",
    ),
    (
        onprem("mlops-infra:secrets: {s: {k: {awsSecretsManager: {id: x}}}}"),
        "secrets.s.k.awsSecretsManager",
        "get-secret-value",
    ),
]


@pytest.mark.parametrize(("text", "path", "legal"), MISTAKES, ids=[m[1] for m in MISTAKES])
def test_a_mistake_is_told(tmp_path: Path, text: str, path: str, legal: str) -> None:
    found = problems(tmp_path, text)
    assert path in found, sorted(found)
    assert legal in f"{found[path].message} {found[path].suggestion or ''}"


def test_every_default_of_a_pipeline_passes(tmp_path: Path) -> None:
    for pipeline, parameters in PARAMETERS.items():
        values = {p.name: str(p.default) for p in parameters if p.name != "model"}
        listed = ", ".join(f"{key}: '{value}'" for key, value in values.items() if value)
        file = tmp_path / "Pulumi.good.yaml"
        file.write_text(model(f"pipeline: {pipeline}, parameters: {{{listed}}}"))
        declared = config.load(file).tenants["a"].models["wine"]
        # what `check` has passed, a training takes
        complete({**declared.parameters, "model": "wine"}, standard(declared.pipeline))
