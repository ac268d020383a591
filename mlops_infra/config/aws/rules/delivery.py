"""Rules between keys of `aws.delivery`: who deploys, from where, and to which account."""

from __future__ import annotations

from collections.abc import Iterator

from mlops_infra.config.aws.rules.names import Broken
from mlops_infra.config.language.document import Path, Tree
from mlops_infra.config.language.tree import get, items, section


def _deployer(tree: Tree) -> Iterator[Broken]:
    """Builds have neither a person's rights nor a person's disk."""
    delivery = section(tree, "aws", "delivery")
    if not delivery.get("codepipeline") and not delivery.get("github"):
        return
    if get(tree, "aws", "role") is None:
        account = get(tree, "aws", "account")
        message = "is missing: delivery deploys with it"
        yield ("aws", "role"), message, f"for example arn:aws:iam::{account}:role/deployer"
    if get(tree, "backend", "url") is None:
        message = "is missing: a build cannot read the state on your disk"
        yield ("backend", "url"), message, "for example s3://company-mlops-state"


def _github(tree: Tree) -> Iterator[Broken]:
    github = section(tree, "aws", "delivery", "github")
    named = items(github, "branches") or items(github, "environments")
    if github and not named:
        path = ("aws", "delivery", "github")
        yield path, "needs a branch or an environment", "branches: [main]"


def _stages(tree: Tree) -> Iterator[Broken]:
    delivery = section(tree, "aws", "delivery")
    stages = section(delivery, "stages")
    if stages and not delivery.get("codepipeline"):
        path = ("aws", "delivery", "stages")
        yield path, "need codepipeline", "GitHub's workflow names its own stages"
    seen: dict[object, str] = {}
    for name in stages:
        base: Path = ("aws", "delivery", "stages", name)
        account, role = get(stages, name, "account"), get(stages, name, "role")
        parts = role.split(":") if isinstance(role, str) else []
        if len(parts) > 4 and parts[4] != account:
            yield (*base, "role"), f"is of account {parts[4]}, the stage of {account}", None
        stack = get(stages, name, "stack")
        if stack in seen:
            yield (*base, "stack"), f"'{stack}' is stage {seen[stack]} already", None
        seen[stack] = name


RULES = (_deployer, _github, _stages)
