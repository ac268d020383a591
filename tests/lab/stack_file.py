"""The example stacks as the emulator can carry them: its account, without what it lacks."""

from __future__ import annotations

import copy
import json
import re
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parent.parent.parent
EMULATED_ACCOUNT = "123456789012"
KEY = "mlops-infra:aws"

LACKING = {
    ("stores", "kv"): "ElastiCache: no user groups, and the nodes of a replication group are lost",
    ("budget",): "Budgets: DescribeSubscribersForNotification",
}
"""Keys that are left out for the emulator, and the call that it lacks."""

SKIPPED_TYPES = {
    "aws_codebuild_project": "CodeBuild: a source of type CODEPIPELINE is refused without a place",
    "aws_codepipeline": "CodePipeline: GetPipeline answers times as text",
}
"""Terraform types that are left out for the emulator, and why."""

ALLOWED_DIFFERENCES = {
    "aws_db_instance": "RDS: Performance Insights is not read back",
    "aws_db_parameter_group": "RDS: values of parameters are not read back",
    "aws_lambda_function": "Lambda: dead letter queue and logging configuration are not read back",
}
"""Terraform types that the emulator does not answer whole, so that a re-plan shows a change."""


def for_emulator(stack: str) -> dict[str, Any]:
    """The stack's configuration with the emulator's account in the place of its own."""
    text = (ROOT / "stacks" / f"Pulumi.{stack}.yaml").read_text(encoding="utf-8")
    account = re.search(r'account: "([0-9]{12})"', text)
    assert account is not None
    found: dict[str, Any] = yaml.safe_load(text.replace(account.group(1), EMULATED_ACCOUNT))
    for path in LACKING:
        section = found["config"][KEY]
        for key in path[:-1]:
            section = section.get(key, {})
        section.pop(path[-1], None)
    return found


def updated(config: dict[str, Any]) -> str:
    """The section `aws` with another model behind the endpoint and another crawler, as JSON."""
    aws = copy.deepcopy(config["config"][KEY])
    aws["glue"]["crawlers"]["orders"]["description"] = "Orders of all shops"
    aws["endpoints"]["demand"]["variants"][0]["model"] = "2"
    return json.dumps(aws)
