"""What a webhook stops and whose a finalizer is, without a server."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from mlops_infra.kube.holders import is_clusters_own
from mlops_infra.kube.kinds import read_kinds
from mlops_infra.kube.survey import Found
from mlops_infra.kube.webhooks import Webhook

SPACES = {"mlops": {"kubernetes.io/metadata.name": "mlops"}, "other": {}}
SETTINGS = Found("v1", "ConfigMap", "configmaps", "mlops", "settings")
HELD = replace(SETTINGS, finalizers=("example.com/protect",))
RULE = {
    "apiGroups": [""],
    "apiVersions": ["*"],
    "operations": ["DELETE"],
    "resources": ["configmaps"],
}


def _webhook(rule: dict[str, Any] | None = None, **spec: Any) -> Webhook:
    rules = [{**RULE, **(rule or {})}]
    return Webhook("ValidatingWebhookConfiguration", "c", "w", {"rules": rules, **spec}, {})


@pytest.mark.parametrize(
    ("webhook", "stops"),
    [
        (_webhook(), "DELETE"),
        (_webhook({"operations": ["*"], "resources": ["*/*"], "apiGroups": ["*"]}), "DELETE"),
        (_webhook({"operations": ["CREATE"]}), ""),
        (_webhook({"resources": ["configmaps/status"]}), ""),
        (_webhook({"apiGroups": ["apps"]}), ""),
        (_webhook({"scope": "Cluster"}), ""),
        (_webhook(failurePolicy="Ignore"), ""),
        (_webhook(objectSelector={"matchLabels": {"a": "b"}}), ""),
        (
            _webhook(
                namespaceSelector={
                    "matchExpressions": [
                        {
                            "key": "kubernetes.io/metadata.name",
                            "operator": "NotIn",
                            "values": ["mlops"],
                        }
                    ]
                }
            ),
            "",
        ),
    ],
)
def test_what_a_webhook_stops(webhook: Webhook, stops: str) -> None:
    assert webhook.stops(SETTINGS, SPACES) == stops


def test_an_update_matters_only_where_one_is_needed() -> None:
    """A controller of ours that is gone already must not hold what goes without a change."""
    webhook = _webhook({"operations": ["UPDATE"]})
    assert webhook.stops(SETTINGS, SPACES) == ""
    assert webhook.stops(HELD, SPACES) == "UPDATE"


@pytest.mark.parametrize(
    ("finalizer", "own"),
    [
        ("kubernetes.io/pvc-protection", True),
        ("foregroundDeletion", True),
        ("external-attacher/ebs-csi-aws-com", True),
        ("external-provisioner.volume.kubernetes.io/finalizer", True),
        ("kueue.x-k8s.io/managed-resources", False),
        ("inferenceservice.finalizers", False),
        ("example.com/protect", False),
        ("protect", False),
    ],
)
def test_whose_a_finalizer_is(finalizer: str, own: bool) -> None:
    assert is_clusters_own(finalizer) is own


def _resource(kind: str, plural: str) -> dict[str, Any]:
    return {
        "resource": plural,
        "responseKind": {"kind": kind},
        "scope": "Namespaced",
        "verbs": ["list", "delete"],
    }


def test_a_kind_that_only_an_older_version_serves_is_found() -> None:
    """KServe's ClusterServingRuntime is v1alpha1 while the group prefers v1beta1."""
    group = {
        "metadata": {"name": "serving.kserve.io"},
        "versions": [
            {"version": "v1beta1", "resources": [_resource("InferenceService", "is")]},
            {"version": "v1alpha1", "resources": [_resource("ClusterServingRuntime", "csr")]},
        ],
    }
    document = {"kind": "APIGroupDiscoveryList", "items": [group]}
    kinds = read_kinds({"/api": {**document, "items": []}, "/apis": document}.__getitem__)
    assert [(k.version, k.name) for k in kinds] == [
        ("serving.kserve.io/v1beta1", "InferenceService"),
        ("serving.kserve.io/v1alpha1", "ClusterServingRuntime"),
    ]
