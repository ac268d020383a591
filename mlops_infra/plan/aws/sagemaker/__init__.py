"""Definitions of SageMaker Pipelines as plain JSON values (schema 2020-12-01).

Written without the `sagemaker` SDK: 998 MB and 136 packages for one JSON document. An optional test
holds the result against it.
"""

from mlops_infra.plan.aws.sagemaker.checking import check_definition
from mlops_infra.plan.aws.sagemaker.steps import Machine
from mlops_infra.plan.aws.sagemaker.training import training_pipeline

__all__ = ["Machine", "check_definition", "training_pipeline"]
