"""A role that GitHub Actions assumes by OpenID Connect: no key of AWS is kept at GitHub."""

from __future__ import annotations

import json
from typing import Any

import pulumi
from pulumi import ResourceOptions
from pulumi_aws.iam import OpenIdConnectProvider, Role, RolePolicy

from mlops_infra.components.aws.delivery.rights import deploy_statements
from mlops_infra.components.aws.foundation.foundation import Foundation
from mlops_infra.config.aws.delivery import GitHub

ISSUER = "token.actions.githubusercontent.com"
AUDIENCE = "sts.amazonaws.com"
HOUR = 3600


def github_role(foundation: Foundation, config: GitHub, *, parent: pulumi.Resource) -> Role:
    """The role `deploy`: one repository, named branches and environments, nobody else."""
    below = ResourceOptions(parent=parent)
    provider: pulumi.Input[str] | None = config.provider
    if provider is None:
        provider = OpenIdConnectProvider(
            "github", url=f"https://{ISSUER}", client_id_lists=[AUDIENCE], opts=below
        ).arn
    role = Role(
        "github",
        name=foundation.name("role", "github"),
        description=f"{config.repository} starts deliveries of {foundation.names.stack}",
        assume_role_policy=pulumi.Output.json_dumps(trust(config, provider)),
        permissions_boundary=foundation.config.permissions_boundary,
        max_session_duration=HOUR,
        opts=below,
    )
    statements = [each.document() for each in deploy_statements(foundation)]
    RolePolicy(
        "github",
        name=foundation.name("policy", "github"),
        role=role.name,
        policy=json.dumps({"Version": "2012-10-17", "Statement": statements}),
        opts=below,
    )
    return role


def trust(config: GitHub, provider: pulumi.Input[str]) -> dict[str, Any]:
    """Whose tokens are taken: whole subjects, no pattern that another repository could fit."""
    subjects = [
        *(f"repo:{config.repository}:environment:{each}" for each in config.environments),
        *(f"repo:{config.repository}:ref:refs/heads/{each}" for each in config.branches),
    ]
    statement = {
        "Effect": "Allow",
        "Principal": {"Federated": provider},
        "Action": "sts:AssumeRoleWithWebIdentity",
        "Condition": {
            "StringEquals": {f"{ISSUER}:aud": AUDIENCE, f"{ISSUER}:sub": subjects},
        },
    }
    return {"Version": "2012-10-17", "Statement": [statement]}
