"""Kubernetes manifests in YAML, read as Go's parser reads them."""

from __future__ import annotations

import re
from typing import Any

import yaml

from mlops_infra.kubeprovider.objects import Object, annotation, metadata, name_of, namespace_of
from mlops_infra.kubeprovider.problems import ProviderError

_HOOK = "helm.sh/hook"
_BASE: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_BOOL = re.compile(
    r"y|Y|yes|Yes|YES|n|N|no|No|NO|true|True|TRUE|false|False|FALSE|on|On|ON|off|Off|OFF"
)
_INT = re.compile(r"[-+]?(?:0b[01_]+|0o?[0-7_]+|0x[0-9a-fA-F_]+|0|[1-9][0-9_]*)")
_FLOAT = re.compile(
    r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?|[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)"
)


class _Loader(_BASE):  # type: ignore[misc]  # the base is chosen at run time
    """Dates and `22:22` stay strings, a bare `y` is true, `1e3` is a number."""


def _bool(_loader: Any, node: Any) -> bool:
    return str(node.value).lower() in {"y", "yes", "true", "on"}


def _int(_loader: Any, node: Any) -> int:
    text = str(node.value).replace("_", "")
    digits = text.lstrip("+-")
    if len(digits) > 1 and digits[0] == "0" and digits[1].isdigit():
        return int(text, 8)
    return int(text, 0)


def _float(_loader: Any, node: Any) -> float:
    return float(str(node.value).lower().replace(".inf", "inf").replace(".nan", "nan"))


_KEPT = ("tag:yaml.org,2002:null", "tag:yaml.org,2002:merge")
_Loader.yaml_implicit_resolvers = {
    first: [(tag, form) for tag, form in resolvers if tag in _KEPT]
    for first, resolvers in _BASE.yaml_implicit_resolvers.items()
}
for _tag, _form, _firsts, _read in (
    ("bool", _BOOL, "yYnNtTfFoO", _bool),
    ("int", _INT, "-+0123456789", _int),
    ("float", _FLOAT, "-+0123456789.", _float),
):
    _name = f"tag:yaml.org,2002:{_tag}"
    _Loader.add_implicit_resolver(_name, re.compile(f"^(?:{_form.pattern})$"), list(_firsts))
    _Loader.add_constructor(_name, _read)


def parse(text: str) -> list[Object]:
    """All objects of a multi-document text, lists taken apart, hooks and tests left out.

    Raises:
        ProviderError: a document is not YAML or no Kubernetes object.
    """
    try:
        documents = [d for d in yaml.load_all(text, _Loader) if d]
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = f" at line {mark.line + 1}" if mark else ""
        # the parser's own text would quote the manifest, Secrets included
        raise ProviderError(f"the rendered chart is not valid YAML{line}") from None
    return [obj for document in documents for obj in _objects(document)]


def _objects(document: Any) -> list[Object]:
    if not isinstance(document, dict) or not document.get("kind") or not document.get("apiVersion"):
        raise ProviderError("the rendered chart holds a document without apiVersion and kind")
    if str(document["kind"]).endswith("List") and isinstance(document.get("items"), list):
        return [obj for item in document["items"] for obj in _objects(item)]
    if annotation(document, _HOOK):
        return []
    if not name_of(document):
        raise ProviderError(f"the rendered chart holds a {document['kind']} without a name")
    return [document]


def key(obj: Object) -> tuple[str, str, str, str]:
    """Group, kind, namespace and name."""
    group = str(obj["apiVersion"]).rpartition("/")[0]
    return group, str(obj["kind"]), namespace_of(obj), name_of(obj)


def with_annotation(obj: Object, name: str, value: str) -> Object:
    """The object with one annotation more."""
    meta = metadata(obj)
    notes = {**(meta.get("annotations") or {}), name: value}
    return {**obj, "metadata": {**meta, "annotations": notes}}
