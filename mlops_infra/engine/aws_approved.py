"""Asks the registry on AWS which model is approved, and tells the program."""

from __future__ import annotations

from collections.abc import Mapping

from mlops_infra import contract
from mlops_infra.aws import Cloud
from mlops_infra.engine.prepare import Asked
from mlops_infra.plan.aws.approved import NONE, asks
from mlops_infra.plan.aws.names import names_of
from mlops_infra.progress import Sink, step


def told(want: Asked, cloud: Cloud, sink: Sink) -> Mapping[str, str]:
    """The variable for the program; empty where nothing of the stack follows the registry.

    Raises:
        MlopsError: see `Cloud.call`.
    """
    if want.config.aws is None or not asks(want.config):
        return {}
    group = names_of(want.config, want.stack).of("model-group", want.config.aws.registry.group)
    with step(sink, "Asking the registry for the approved model") as work:
        found = newest(cloud, group)
        work.end("done", found or f"{group} has no approved model yet")
    return {contract.APPROVED_MODEL_VARIABLE: found or NONE}


def newest(cloud: Cloud, group: str) -> str | None:
    """ARN of the approved package of `group` that was registered last; None where there is none.

    Before the first `up` there is no group either.

    Raises:
        MlopsError: see `Cloud.call`.
    """
    answer = cloud.find(
        "sagemaker",
        "list_model_packages",
        ModelPackageGroupName=group,
        ModelApprovalStatus="Approved",
        SortBy="CreationTime",
        SortOrder="Descending",
        MaxResults=1,
    )
    packages = answer["ModelPackageSummaryList"] if answer else []
    return str(packages[0]["ModelPackageArn"]) if packages else None
