"""Rules between keys. They read the raw tree, so they hold even where other keys are wrong.

A rule only speaks about values that have the right type; the models have spoken about the others.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple

from mlops_infra.config.aws.rules import delivery as rules_aws_delivery
from mlops_infra.config.aws.rules import lake as rules_aws_lake
from mlops_infra.config.aws.rules import models as rules_aws_models
from mlops_infra.config.aws.rules import platform as rules_aws_platform
from mlops_infra.config.aws.rules import services as rules_aws
from mlops_infra.config.aws.rules import values as rules_aws_values
from mlops_infra.config.language.document import Origin, Path, Tree, dotted
from mlops_infra.config.language.explain import nearest
from mlops_infra.config.language.tree import get, section
from mlops_infra.config.tenants import rules as rules_tenants
from mlops_infra.errors import Problem


class Broken(NamedTuple):
    """A rule that does not hold."""

    path: Path
    message: str
    advice: str | None = None


Rule = Callable[[Tree], Iterable[tuple[Path, str, str | None]]]


def problems(tree: Tree, origin: Origin) -> list[Problem]:
    """Every rule that does not hold."""
    return [
        Problem(dotted(path), message, origin.line(path), advice)
        for rule in (*_RULES, *_AWS_RULES)
        for path, message, advice in rule(tree)
    ]


def _profile(tree: Tree) -> Iterator[Broken]:
    profile = tree.get("profile")
    if profile == "aws":
        if not tree.get("aws"):
            yield Broken(("aws",), "is missing", "the aws profile needs aws.account and aws.region")
        for key in ("cluster", "components", "stores"):
            if tree.get(key):
                yield Broken((key,), "belongs to the onprem profile", "remove it")
    if profile == "onprem" and tree.get("aws"):
        yield Broken(("aws",), "belongs to the aws profile", "remove it, or set profile: aws")


def _cluster(tree: Tree) -> Iterator[Broken]:
    cluster = section(tree, "cluster")
    if cluster.get("embedded") is True:
        for key in ("kubeconfig", "context"):
            if cluster.get(key) is not None:
                message = "an embedded cluster writes its own kubeconfig"
                yield Broken(("cluster", key), message, "remove it, or set embedded: false")
        return
    for key in ("simulated", "name"):
        if cluster.get(key):
            message = "only an embedded cluster has it"
            yield Broken(("cluster", key), message, "remove it, or set embedded: true")
    if cluster.get("expose") == "nodePort" and not cluster.get("address"):
        message = "is missing: expose nodePort needs a name or address of the nodes"
        yield Broken(("cluster", "address"), message, "for example 10.0.0.11")


def _network(tree: Tree) -> Iterator[Broken]:
    mode = get(tree, "network", "mode")
    proxy = get(tree, "network", "proxy")
    embedded = get(tree, "cluster", "embedded") is True
    registry = get(tree, "network", "registry")
    if mode == "proxied" and not proxy:
        yield Broken(("network", "proxy"), "is missing", "mode proxied needs proxy.https")
    if mode in ("closed", "connected") and proxy:
        yield Broken(("network", "proxy"), f"does not apply to mode {mode}", "set mode: proxied")
    onprem = tree.get("profile") == "onprem"
    if onprem and mode == "closed" and not registry and not embedded:
        message = "is missing: in a closed network the cluster needs a registry"
        yield Broken(("network", "registry"), message, "for example registry.site.local:5000")
    if not registry and not embedded:
        message = "images built here need a registry that the cluster pulls from"
        for path in _built(get(tree, "network", "images")):
            yield Broken(path, message, "set network.registry, or images: upstream")
    if isinstance(registry, str) and "://" in registry:
        yield Broken(("network", "registry"), "has no scheme", registry.partition("://")[2])
    login, path = get(tree, "network", "registryLogin"), ("network", "registryLogin")
    if login and not registry:
        yield Broken(path, "needs network.registry", "set network.registry")
    if isinstance(login, str):
        yield from _secret(tree, login, path, _LOGIN)


def _built(images: object) -> Iterator[tuple[str, ...]]:
    """The keys that ask for images built here."""
    path = ("network", "images")
    if images == "built":
        yield path
    elif isinstance(images, dict):
        if images.get("default") == "built":
            yield (*path, "default")
        components = images.get("components")
        for name, source in components.items() if isinstance(components, dict) else ():
            if source == "built":
                yield (*path, "components", str(name))


_LOGIN = ("username", "password")
_SECRET_KEYS = {
    "object": ("accessKey", "secretKey"),
    "sql": _LOGIN,
    "kv": ("password",),
}


def _stores(tree: Tree) -> Iterator[Broken]:
    for name, keys in _SECRET_KEYS.items():
        store = section(tree, "stores", name)
        yield from _external(("stores", name), store, tree, keys, ("endpoint", "secret"))


def _components(tree: Tree) -> Iterator[Broken]:
    for name in section(tree, "components"):
        component = section(tree, "components", name)
        yield from _external(("components", name), component, tree, _LOGIN, ("endpoint",))


def _external(
    path: Path, body: Tree, tree: Tree, keys: tuple[str, ...], required: tuple[str, ...]
) -> Iterator[Broken]:
    external = body.get("state") == "external"
    for key in ("endpoint", "secret"):
        if external and key in required and not body.get(key):
            yield Broken((*path, key), "is missing", "state external needs it")
        if not external and body.get(key):
            message = "only applies to state external"
            yield Broken((*path, key), message, "remove it, or set state: external")
    secret = body.get("secret")
    if external and isinstance(secret, str):
        yield from _secret(tree, secret, (*path, "secret"), keys)


def _secret(tree: Tree, name: str, path: Path, keys: tuple[str, ...]) -> Iterator[Broken]:
    known = section(tree, "secrets")
    if name not in known:
        close = nearest(name, known)
        advice = f"did you mean '{close}'?" if close else f"add secrets.{name}"
        yield Broken(path, f"no secret '{name}' under secrets", advice)
        return
    body = section(known, name)
    for key in keys:
        if body and key not in body:
            message = f"is missing: {dotted(path)} needs it"
            yield Broken(("secrets", name, key), message, "for example {env: NAME_OF_A_VARIABLE}")


def _edge(tree: Tree) -> Iterator[Broken]:
    path = ("components", "envoy-gateway", "settings")
    settings = section(tree, *path)
    certificate, login = settings.get("certificate"), section(settings, "oidc")
    if isinstance(certificate, str):
        yield from _secret(tree, certificate, (*path, "certificate"), ("certificate", "key"))
    elif login:
        message = "is missing: login cookies need TLS"
        yield Broken((*path, "certificate"), message, "name a secret with certificate and key")
    if isinstance(login.get("secret"), str):
        yield from _secret(tree, str(login["secret"]), (*path, "oidc", "secret"), ("clientSecret",))


def _tenants(tree: Tree) -> Iterator[Broken]:
    external = get(tree, "stores", "object", "state") == "external"
    for name in section(tree, "tenants"):
        tenant = section(tree, "tenants", name)
        for key in ("bucket", "secret"):
            if tenant.get(key) and not external:
                message = (
                    "only applies to an external stores.object: otherwise the bucket is created"
                )
                yield Broken(("tenants", name, key), message, "remove it")
        secret = tenant.get("secret")
        if external and isinstance(secret, str):
            yield from _secret(tree, secret, ("tenants", name, "secret"), _SECRET_KEYS["object"])


def _references(tree: Tree) -> Iterator[Broken]:
    for name in section(tree, "secrets"):
        for key, reference in section(tree, "secrets", name).items():
            path = ("secrets", name, key)
            if not isinstance(reference, dict):
                continue
            elsewhere = _ELSEWHERE.keys() & reference.keys()
            for kind in elsewhere:
                yield Broken((*path, kind), "is not read by mlops-infra", _ELSEWHERE[kind])
            given = sum(reference.get(each) is not None for each in ("env", "file"))
            if given != 1 and not elsewhere:
                yield Broken(path, "needs exactly one of env and file")


_ELSEWHERE = {
    "kubernetes": "write it into a file and give that: kubectl get secret -n NAMESPACE NAME "
    "-o jsonpath='{.data.KEY}' | base64 -d",
    "awsSecretsManager": "write it into a file and give that: aws secretsmanager get-secret-value "
    "--secret-id ID --query SecretString --output text",
}
"""Places that earlier releases took in this file and refused at `up`, and the way around."""


def _policy(tree: Tree) -> Iterator[Broken]:
    policy = tree.get("policy")
    if policy in ("standard", "hardened") and tree.get("protect") is False:
        message = f"policy {policy} protects stateful resources"
        yield Broken(("protect",), message, "remove it; use allowReplace for single exceptions")
    if policy == "hardened" and get(tree, "licence", "policy") == "any":
        yield Broken(("licence", "policy"), "policy hardened needs a licence gate", "commercial")


_RULES: tuple[Rule, ...] = (
    _profile,
    _cluster,
    _network,
    _stores,
    _components,
    _edge,
    _tenants,
    _references,
    _policy,
    *rules_tenants.RULES,
)

_AWS_RULES: tuple[Rule, ...] = (
    *rules_aws.RULES,
    *rules_aws_delivery.RULES,
    *rules_aws_lake.RULES,
    *rules_aws_models.RULES,
    *rules_aws_platform.RULES,
    *rules_aws_values.RULES,
)
