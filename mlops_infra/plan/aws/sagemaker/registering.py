"""The step that puts a model into SageMaker's registry."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from mlops_infra.sagemaker import joined

CONTENT = ("application/json", "application/jsonlines", "text/csv")
"""What the runtime image's server reads."""
ANSWERS = ("application/json", "application/jsonlines")


def registering(
    name: str,
    *,
    group: Any,
    image: Any,
    model: Any,
    metrics: Any,
    baseline: Any,
    approval: Any,
    instances: Sequence[str],
) -> dict[str, Any]:
    """A RegisterModel step.

    Args:
        name: of the step.
        group: name of the model package group.
        image: URI of the image that serves the model.
        model: S3 place of `model.tar.gz`.
        metrics: S3 folder of the evaluation's metrics.
        baseline: S3 folder of statistics and constraints of the training data.
        approval: `Approved` or `PendingManualApproval`.
        instances: types that the model was meant for.
    """
    return {
        "Name": name,
        "Type": "RegisterModel",
        "Arguments": {
            "ModelPackageGroupName": group,
            "ModelApprovalStatus": approval,
            "InferenceSpecification": {
                "Containers": [{"Image": image, "ModelDataUrl": model}],
                "SupportedContentTypes": list(CONTENT),
                "SupportedResponseMIMETypes": list(ANSWERS),
                "SupportedRealtimeInferenceInstanceTypes": list(instances),
                "SupportedTransformInstanceTypes": list(instances),
            },
            "ModelMetrics": {
                "ModelQuality": {"Statistics": _json(metrics, "data")},
                "ModelDataQuality": {
                    "Statistics": _json(baseline, "statistics.json"),
                    "Constraints": _json(baseline, "constraints.json"),
                },
            },
        },
    }


def _json(folder: Any, file: str) -> dict[str, Any]:
    return {"ContentType": "application/json", "S3Uri": joined("/", folder, file)}
