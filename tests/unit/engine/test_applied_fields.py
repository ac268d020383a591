"""Which changes of an object are changes of what was applied."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlops_infra.engine.applied_fields import compare, encrypted, in_clear, whole

OURS = "mlops-infra-test"
SECRET = {
    "4dabf18193072939515e22adb298388d": "1b47061264138c4ac30d75fd1eb44270",
    "ciphertext": "v1:x",
}


def owned(tree: dict[str, Any], manager: str = OURS) -> dict[str, Any]:
    return {"manager": manager, "fieldsV1": tree}


def entry(**key: Any) -> str:
    return "k:" + json.dumps(key, separators=(",", ":"))


INPUTS = {
    "apiVersion": "v1",
    "kind": "Thing",
    "metadata": {"name": "x", "labels": {"a": "1"}, "annotations": {"pulumi.com/skipAwait": "y"}},
    "spec": {
        "replicas": 2,
        "memory": "1024Mi",
        "empty": "",
        "nothing": None,
        "rules": [{"verbs": ["get"]}],
        "selector": {"app": "x"},
        "containers": [{"name": "main", "image": "app:1", "args": ["a", "b"]}],
        "ports": [{"port": 53, "protocol": "UDP"}, {"port": 80}],
        "finalizers": ["ours"],
        "podSelector": {},
        "egress": [],
        "theirs": {},
    },
}
TREE = {
    "f:metadata": {"f:labels": {"f:a": {}}},
    "f:spec": {
        "f:replicas": {},
        "f:memory": {},
        "f:rules": {},
        "f:selector": {},
        "f:containers": {entry(name="main"): {".": {}, "f:name": {}, "f:image": {}, "f:args": {}}},
        "f:ports": {
            entry(port=53, protocol="UDP"): {".": {}, "f:port": {}},
            entry(port=80, protocol="TCP"): {".": {}, "f:port": {}},
        },
        "f:finalizers": {'v:"ours"': {}},
        "f:podSelector": {},
        "f:egress": {},
        "f:theirs": {},
    },
}


def served() -> dict[str, Any]:
    """What the API server makes of the inputs."""
    found = copy.deepcopy(INPUTS)
    spec = found["spec"]
    spec["memory"] = "1Gi"
    del spec["empty"], spec["nothing"], spec["egress"]
    spec["rules"][0]["scope"] = "default"
    spec["containers"][0]["policy"] = "default"
    spec["ports"][1]["protocol"] = "TCP"
    spec["byDefault"] = {"more": True}
    found["status"] = {"ready": 1}
    found["metadata"]["managedFields"] = [owned(TREE)]
    return found


def changed(change: Any) -> dict[str, str]:
    live = served()
    change(live)
    return compare(INPUTS, {"__fieldManager": OURS, **served()}, live).altered


@pytest.mark.parametrize(
    "change",
    [
        lambda o: None,
        lambda o: o.update(status={"ready": 0}),
        lambda o: o["metadata"].update(labels={"a": "1", "b": "2"}, annotations={"theirs": "x"}),
        lambda o: o["spec"].update(byDefault=None, further=1),
        lambda o: o["spec"].update(memory="1024Mi"),
        lambda o: o["spec"]["containers"].insert(0, {"name": "injected"}),
        lambda o: o["spec"]["ports"].reverse(),
        lambda o: o["spec"]["finalizers"].append("theirs"),
        lambda o: o["spec"]["containers"][0].update(policy="other"),
        lambda o: o["spec"].update(egress=[]),
        lambda o: (
            o["spec"].update(theirs={"a": 1}),
            o["metadata"]["managedFields"].append(
                owned({"f:spec": {"f:theirs": {"f:a": {}}}}, "they")
            ),
        ),
    ],
)
def test_what_was_not_applied_is_ignored(change: Any) -> None:
    assert changed(change) == {}


@pytest.mark.parametrize(
    ("change", "path", "numbers"),
    [
        (lambda o: o["metadata"]["labels"].clear(), "metadata.labels.a", ""),
        (lambda o: o["spec"].update(replicas=0), "spec.replicas", "0 instead of 2"),
        (lambda o: o["spec"].pop("replicas"), "spec.replicas", ""),
        (lambda o: o["spec"].update(memory="2Gi"), "spec.memory", ""),
        (lambda o: o["spec"].update(empty="x"), "spec.empty", ""),
        (lambda o: o["spec"]["rules"].append({"verbs": ["*"]}), "spec.rules", ""),
        (lambda o: o["spec"]["rules"][0].update(further=1), "spec.rules", ""),
        (lambda o: o["spec"]["selector"].update(further="x"), "spec.selector", ""),
        (lambda o: o["spec"]["containers"].clear(), "spec.containers.main", ""),
        (lambda o: o["spec"]["containers"][0].update(image="a"), "spec.containers.main.image", ""),
        (lambda o: o["spec"]["containers"][0]["args"].append("c"), "spec.containers.main.args", ""),
        (lambda o: o["spec"]["ports"][1].update(port=81), "spec.ports.1", ""),
        (lambda o: o["spec"]["finalizers"].clear(), "spec.finalizers.0", ""),
        (lambda o: o["spec"].update(podSelector={"a": "b"}), "spec.podSelector", ""),
        (lambda o: o["spec"].update(egress=[{}]), "spec.egress", ""),
    ],
)
def test_what_was_applied_is_compared(change: Any, path: str, numbers: str) -> None:
    assert changed(change) == {path: numbers}


def test_a_policy_that_allows_nothing_says_so_without_a_field() -> None:
    spec = {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}
    fields = owned({"f:spec": {"f:podSelector": {}, "f:policyTypes": {}}})
    about = {"metadata": {"managedFields": [fields]}}
    policy = {"kind": "NetworkPolicy", "spec": spec, **about}
    assert compare(policy, policy, policy).altered == {}
    wider = {**policy, "spec": {**spec, "egress": [{}]}}
    assert compare(policy, policy, wider).altered == {"spec.egress": ""}
    assert whole(policy)["spec"] == {**spec, "ingress": [], "egress": []}


@pytest.mark.parametrize(
    ("live", "recorded", "unsure"),
    [
        ([owned({"f:data": {"f:a": {}}})], {"f:a": {}}, False),
        (
            [owned({"f:data": {"f:a": {}}}), owned({"f:data": {"f:b": {}}}, "they")],
            {"f:a": {}},
            True,
        ),
        ([owned({"f:data": {"f:a": {}}}, "they")], {"f:a": {}}, True),
        ([owned({"f:data": {"f:a": {}}})], {"f:a": {}, "f:b": {}}, True),
        ([], {"f:a": {}}, True),
    ],
)
def test_an_encrypted_value_is_judged_by_who_wrote_it(
    live: list[Any], recorded: dict[str, Any], unsure: bool
) -> None:
    outputs = {"__fieldManager": OURS, "metadata": {"managedFields": [owned({"f:data": recorded})]}}
    now = {"data": {"a": "x"}, "metadata": {"managedFields": live}}
    told = compare({"data": SECRET}, {**outputs, "data": SECRET}, now)
    assert (told.altered, told.unsure) == ({}, unsure)


def test_an_encrypted_value_that_is_gone_is_altered() -> None:
    assert compare({"data": SECRET}, {"data": SECRET}, {"metadata": {}}).altered == {"data": ""}


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda below: (
        st.lists(below, max_size=3)
        | st.dictionaries(st.text(max_size=5).filter(lambda k: len(k) < 6), below, max_size=3)
    ),
    max_leaves=12,
)


@given(st.dictionaries(st.text(max_size=5), json_values, max_size=4), json_values)
def test_nothing_that_a_cluster_holds_can_stop_the_comparison(
    inputs: dict[str, Any], live: Any
) -> None:
    compare(inputs, inputs, live if isinstance(live, dict) else {})
    assert compare(inputs, inputs, inputs).altered == {}
    marked = {**SECRET, "plaintext": json.dumps(inputs)}
    assert in_clear([{"a": marked}]) == [{"a": inputs}]
    assert encrypted([{"a": marked}])
