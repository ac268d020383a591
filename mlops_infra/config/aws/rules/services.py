"""Rules between keys of the aws profile, most of them the services' own."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator

from mlops_infra.config.aws.rules.names import Broken, named
from mlops_infra.config.language.document import Path, Tree, Value
from mlops_infra.config.language.tree import get, items, section

RESERVED_FEATURES = ("is_deleted", "write_time", "api_invocation_time")
"""Columns that SageMaker itself adds to the offline store."""


def _zones(tree: Tree) -> Iterator[Broken]:
    region = get(tree, "aws", "region")
    for index, zone in enumerate(items(tree, "aws", "zones")):
        if isinstance(zone, str) and isinstance(region, str) and not zone.startswith(region):
            yield ("aws", "zones", index), f"'{zone}' is not in region {region}", None
    strict = tree.get("policy") in ("standard", "hardened")
    if strict and len(items(tree, "aws", "zones")) == 1:
        yield ("aws", "zones"), "one zone is a single point of failure", "name two or more"


def _vpc(tree: Tree) -> Iterator[Broken]:
    vpc = section(tree, "aws", "vpc")
    subnets = items(tree, "aws", "vpc", "subnets")
    if vpc.get("id") and not subnets:
        yield ("aws", "vpc", "subnets"), "is missing", "an existing VPC needs its private subnets"
    if subnets and not vpc.get("id"):
        yield ("aws", "vpc", "id"), "is missing", "subnets belong to an existing VPC"
    cidr = vpc.get("cidr")
    if not isinstance(cidr, str):
        return
    try:
        network = ipaddress.IPv4Network(cidr)
    except ValueError:
        return  # its type has said so
    if not 16 <= network.prefixlen <= 28:
        yield ("aws", "vpc", "cidr"), "a VPC has between /16 and /28", f"{network[0]}/16"


def _tags(tree: Tree) -> Iterator[Broken]:
    for key in section(tree, "aws", "tags"):
        if key.lower().startswith("aws:"):
            yield ("aws", "tags", key), "AWS reserves keys that begin with 'aws:'", None


def _destroy(tree: Tree) -> Iterator[Broken]:
    if get(tree, "aws", "lake", "forceDestroy") is True and tree.get("policy", "dev") != "dev":
        message = f"policy {tree.get('policy')} does not delete data on `down`"
        yield ("aws", "lake", "forceDestroy"), message, "remove it"


def _features(tree: Tree) -> Iterator[Broken]:
    for name in section(tree, "aws", "features"):
        base: Path = ("aws", "features", name)
        group = section(tree, "aws", "features", name)
        yield from _feature_names(base, group)
        types = {
            key: get(feature, "type")
            for feature in items(group, "features")
            if isinstance(key := get(feature, "name"), str)
        }
        for key in ("recordIdentifier", "eventTime"):
            yield from named(group.get(key), types, (*base, key), "feature")
        if types.get(str(group.get("eventTime"))) == "Integral":
            message = "an event time is String (ISO 8601) or Fractional (seconds)"
            yield (*base, "eventTime"), message, None
        if group.get("recordIdentifier") == group.get("eventTime") is not None:
            yield (*base, "eventTime"), "is the record identifier already", None
        if group.get("online") is False and group.get("offline") is False:
            yield base, "is neither online nor offline", "leave one of them true"
        if group.get("online") is False and group.get("ttlDays") is not None:
            message = "only applies to an online store: the offline store keeps the history"
            yield (*base, "ttlDays"), message, "remove it, or set online: true"


def _feature_names(base: Path, group: Tree) -> Iterator[Broken]:
    """Glue and Athena know no capitals: two names that differ by them are one column."""
    seen: dict[str, str] = {}
    for index, feature in enumerate(items(group, "features")):
        key = get(feature, "name")
        if not isinstance(key, str):
            continue
        where = (*base, "features", index)
        if seen.get(key.lower()) == key:
            yield where, f"'{key}' is duplicated", None
        elif key.lower() in seen:
            message = f"'{key}' and '{seen[key.lower()]}' are one column to Glue and Athena"
            yield where, message, "use names that differ by more than capitals"
        if key.lower() in RESERVED_FEATURES:
            yield where, f"'{key}' is reserved by SageMaker", None
        seen[key.lower()] = key


def _endpoints(tree: Tree) -> Iterator[Broken]:
    for name in section(tree, "aws", "endpoints"):
        base: Path = ("aws", "endpoints", name)
        endpoint = section(tree, "aws", "endpoints", name)
        mode = endpoint.get("mode", "realtime")
        if mode != "serverless" and endpoint.get("serverless") is not None:
            yield (*base, "serverless"), f"does not apply to mode {mode}", "set mode: serverless"
        if mode != "async" and endpoint.get("queue") is not None:
            yield (*base, "queue"), f"does not apply to mode {mode}", "set mode: async"
        if mode == "serverless" and endpoint.get("scaling") is not None:
            message = "a serverless endpoint scales by itself"
            yield (*base, "scaling"), message, "use serverless.maxConcurrency"
        yield from _capture(base, endpoint, mode)
        yield from _variants(base, endpoint)
        yield from _scaling(base, endpoint, tree)


def _capture(base: Path, endpoint: Tree, mode: Value) -> Iterator[Broken]:
    capture = endpoint.get("capturePercent")
    if mode == "serverless" and isinstance(capture, int) and capture > 0:
        yield (*base, "capturePercent"), "a serverless endpoint cannot record traffic", "0"


def _variants(base: Path, endpoint: Tree) -> Iterator[Broken]:
    variants = items(endpoint, "variants")
    names: set[str] = set()
    for index, variant in enumerate(variants):
        name = get(variant, "name")
        if isinstance(name, str):
            if name in names:
                yield (*base, "variants", index), f"'{name}' is duplicated", None
            names.add(name)
    live = [v for v in variants if isinstance(v, dict) and v.get("shadow") is not True]
    if variants and not live:
        yield (*base, "variants"), "all variants are shadows, none would respond", None
    shadows = len(variants) - len(live)
    if (shadows and len(live) > 1) or shadows > 1:
        # CreateEndpointConfig takes one shadow beside exactly one production variant.
        message = "a shadow needs exactly one other variant, and an endpoint has one shadow"
        yield (*base, "variants"), message, None
    if shadows and endpoint.get("mode") in ("serverless", "async"):
        message = f"mode {endpoint.get('mode')} has no shadow"
        yield (*base, "variants"), message, "use mode realtime, or remove the shadow"
    weights = [1.0 if (weight := get(each, "weight")) is None else weight for each in live]
    if weights and all(weight == 0 for weight in weights):
        yield (*base, "variants"), "all weights are 0, no variant would get traffic", "weight: 1"
    if len(live) > 1 and endpoint.get("mode") in ("serverless", "async"):
        yield (*base, "variants"), f"mode {endpoint.get('mode')} has one variant", None


def _scaling(base: Path, endpoint: Tree, tree: Tree) -> Iterator[Broken]:
    scaled = endpoint.get("scaling") is not None
    low, high = get(endpoint, "scaling", "min"), get(endpoint, "scaling", "max")
    low, high = 1 if low is None else low, 2 if high is None else high
    if not isinstance(low, int) or not isinstance(high, int):
        return
    if low > high:
        yield (*base, "scaling", "min"), f"{low} is more than max {high}", None
    for index, variant in enumerate(items(endpoint, "variants")):
        count = get(variant, "count")
        count = 1 if count is None else count
        where = (*base, "variants", index)
        if scaled and isinstance(count, int) and count < low:
            message = f"count {count} is below scaling.min {low}"
            yield where, message, "an update would reset to it"
        strict = tree.get("policy") == "hardened" and endpoint.get("mode", "realtime") == "realtime"
        if strict and isinstance(count, int) and count < 2:
            yield where, "policy hardened requires two or more instances", "count: 2"


def _monitors(tree: Tree) -> Iterator[Broken]:
    endpoints = section(tree, "aws", "endpoints")
    for name in section(tree, "aws", "monitors"):
        wanted = get(tree, "aws", "monitors", name, "endpoint")
        path = ("aws", "monitors", name, "endpoint")
        yield from named(wanted, endpoints, path, "endpoint")
        found = endpoints.get(wanted) if isinstance(wanted, str) else None
        if isinstance(found, dict) and not found.get("capturePercent"):
            message = f"endpoint '{wanted}' records no traffic to compare"
            yield path, message, f"set aws.endpoints.{wanted}.capturePercent"
        vpc = section(tree, "aws", "vpc")
        if not any(vpc.get(key) for key in ("id", "interfaceEndpoints", "natGateways")):
            message = "sends metrics to CloudWatch, which its private network cannot reach"
            yield ("aws", "monitors", name), message, "set aws.vpc.interfaceEndpoints: true"


def _triggers(tree: Tree) -> Iterator[Broken]:
    for name in section(tree, "aws", "triggers"):
        trigger = section(tree, "aws", "triggers", name)
        base: Path = ("aws", "triggers", name)
        pipelines = section(tree, "aws", "pipelines")
        yield from named(trigger.get("pipeline"), pipelines, (*base, "pipeline"), "pipeline")
        monitors = section(tree, "aws", "monitors")
        yield from named(trigger.get("drift"), monitors, (*base, "drift"), "monitor")
        said = [trigger.get(key) is not None for key in ("newData", "schedule", "drift")]
        said += [trigger.get(key) is True for key in ("approval", "onDemand")]
        if sum(said) != 1:
            yield base, "needs exactly one of newData, schedule, drift, approval, onDemand", None


RULES = (_zones, _vpc, _tags, _destroy, _features, _endpoints, _monitors, _triggers)
