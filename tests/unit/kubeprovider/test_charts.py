from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlops_infra.kubeprovider.manifests import key, parse
from mlops_infra.kubeprovider.ordering import dependencies
from mlops_infra.kubeprovider.problems import ProviderError

HEAD = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: x}\n"


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("y", True),
        ("off", False),
        ("2026-11-21", "2026-11-21"),
        ("22:22", "22:22"),
        ("0x1F", 31),
        ("017", 15),
        ("1e3", 1000.0),
        ("1.5", 1.5),
        ("~", None),
        ("v1", "v1"),
        ("'1'", "1"),
    ],
)
def test_scalars_are_read_as_go_reads_them(text: str, value: object) -> None:
    (obj,) = parse(f"{HEAD}data: {{a: {text}}}\n")
    assert obj["data"]["a"] == value
    assert type(obj["data"]["a"]) is type(value)


TEXT = st.text(st.characters(categories=["L", "N", "P", "S", "Zs"]), min_size=1)


@given(st.dictionaries(TEXT, TEXT))
def test_any_quoted_text_survives(data: dict[str, str]) -> None:
    document = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "x"}, "data": data}
    assert parse(json.dumps(document, ensure_ascii=False)) == [document]


def test_lists_are_taken_apart_and_hooks_left_out() -> None:
    hook = "metadata: {name: h, annotations: {helm.sh/hook: test}}"
    text = f"""
---
apiVersion: v1
kind: List
items:
- {{apiVersion: v1, kind: Secret, metadata: {{name: a}}}}
---
# nothing
---
apiVersion: v1
kind: Pod
{hook}
"""
    assert [obj["kind"] for obj in parse(text)] == ["Secret"]


def test_a_broken_manifest_is_told_by_line_without_its_text() -> None:
    with pytest.raises(ProviderError, match="at line 3") as failure:
        parse("a: 1\nb: 'topsecret\n c: [")
    assert "topsecret" not in str(failure.value)


def test_namespaces_definitions_and_named_objects_come_first() -> None:
    note = "config.kubernetes.io/depends-on"
    objects = parse(f"""
apiVersion: example.com/v1
kind: Widget
metadata:
  name: w
  namespace: ns
  annotations: {{{note}: "apps/namespaces/ns/Deployment/d, /Secret/missing"}}
---
{{apiVersion: apps/v1, kind: Deployment, metadata: {{name: d, namespace: ns}}}}
---
{{apiVersion: v1, kind: Namespace, metadata: {{name: ns}}}}
---
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {{name: widgets.example.com}}
spec: {{group: example.com, names: {{kind: Widget}}}}
""")
    widget, deployment, namespace, definition = (key(obj) for obj in objects)
    edges = dependencies(objects)
    assert edges[widget] == {deployment, namespace, definition}
    assert edges[deployment] == {namespace}
    assert edges[namespace] == set()


def test_objects_that_wait_for_each_other_are_refused() -> None:
    note = "config.kubernetes.io/depends-on"
    objects = parse(f"""
{{apiVersion: v1, kind: Secret, metadata: {{name: a, annotations: {{{note}: /ConfigMap/b}}}}}}
---
{{apiVersion: v1, kind: ConfigMap, metadata: {{name: b, annotations: {{{note}: /Secret/a}}}}}}
""")
    with pytest.raises(ProviderError, match="wait for each other: ConfigMap b, Secret a"):
        dependencies(objects)
