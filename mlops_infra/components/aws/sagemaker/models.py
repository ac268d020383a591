"""Models behind endpoints and batch jobs: where they come from, and names of their content."""

from __future__ import annotations

import hashlib
import json
import os
from typing import Any

import pulumi
from pulumi import Output, ResourceOptions
from pulumi_aws.sagemaker import Model, ModelPrimaryContainerArgs, ModelVpcConfigArgs

from mlops_infra import contract
from mlops_infra.components.aws.foundation.foundation import Foundation
from mlops_infra.components.aws.foundation.images import runtime_image
from mlops_infra.errors import MissingError
from mlops_infra.plan.aws.approved import LATEST, NONE


def container(foundation: Foundation, source: str) -> dict[str, str] | None:
    """What a model is made of; None where the registry holds no approved one yet.

    Args:
        foundation: of the stack.
        source: `latest-approved`, a version of the group, or an `s3://` URL.

    Raises:
        MissingError: nobody has told which model is the approved one.
    """
    if source.startswith("s3://"):
        return {"image": runtime_image(foundation, "serving"), "model_data_url": source}
    if source != LATEST:
        group = foundation.name("model-group", foundation.config.registry.group)
        version = f"model-package/{group}/{source}"
        return {"model_package_name": foundation.names.arn("sagemaker", version)}
    told = os.environ.get(contract.APPROVED_MODEL_VARIABLE, "")
    if not told:
        raise MissingError(
            "the approved model is unknown here",
            where=contract.APPROVED_MODEL_VARIABLE,
            hint=f'eval "$(mlops-infra env -s {foundation.names.stack})", or name a version '
            "under aws.endpoints",
        )
    return None if told == NONE else {"model_package_name": told}


def digest(content: Any) -> str:
    """Twelve hex digits that change when `content` does: part of names that AWS keeps for ever."""
    text = json.dumps(content, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def model(
    foundation: Foundation,
    name: str,
    made_of: dict[str, str],
    *,
    role_arn: Output[str],
    parent: pulumi.Resource,
    ready: list[pulumi.Resource],
) -> Model:
    """A model without network of its own; its name tells its content.

    Args:
        foundation: of the stack.
        name: logical name, for example `demand-champion`.
        made_of: see `container`.
        role_arn: of serving.
        parent: whose it is.
        ready: what must stand before.
    """
    full = foundation.name("model", f"{name}-{digest(made_of)}")
    return Model(
        name,
        name=full,
        execution_role_arn=role_arn,
        enable_network_isolation=True,
        primary_container=ModelPrimaryContainerArgs(
            image=made_of.get("image"),
            model_data_url=made_of.get("model_data_url"),
            model_package_name=made_of.get("model_package_name"),
        ),
        vpc_config=ModelVpcConfigArgs(
            subnets=list(foundation.network.subnet_ids),
            security_group_ids=[foundation.network.endpoints_group],
        ),
        # the endpoint moves to the new model before the old one goes
        opts=ResourceOptions(parent=parent, depends_on=ready),
    )
