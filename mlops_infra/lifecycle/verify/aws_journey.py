"""The steps of one journey around the MLOps loop on AWS, and what they hand on to each other."""

from __future__ import annotations

import datetime
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from mlops_infra.aws import Cloud
from mlops_infra.aws.faults import ServiceRefused
from mlops_infra.aws.waiting import wait
from mlops_infra.errors import OperationFailed
from mlops_infra.lifecycle.verify.checks import Skipped

FOLDER = "mlops-infra-verify"
TRAINING_SECONDS = 3_600.0
"""For a whole execution: machines alone take some minutes for each step."""
_BYTES = 1 << 20
_ABSENT_CALLS = frozenset({"500", "501", "UnknownOperationException", "InvalidAction"})
"""How an emulator answers a call that it does not have."""


@dataclass(frozen=True, slots=True)
class Targets:
    """Names of what the journey goes through; None where the stack has none."""

    bucket: str
    group: str
    pipeline: str | None
    endpoint: str | None
    sample: bytes | None = None
    """A request for the endpoint."""
    content_type: str = "text/csv"


class AwsJourney:
    """One run of the loop; each method is one step and returns what a person wants to know."""

    def __init__(self, cloud: Cloud, targets: Targets) -> None:
        self._cloud = cloud
        self._targets = targets
        self._started = datetime.datetime.now(datetime.UTC)
        self.execution: str | None = None
        self.package: str | None = None

    def reach(self) -> str:
        """Who we are, in the account that the stack names."""
        return f"{self._cloud.identity()}, {self._cloud.site}"

    def round_trip(self) -> str:
        """Put an object into the artifacts bucket, get it, delete all versions of it."""
        where = {"Bucket": self._targets.bucket, "Key": f"{FOLDER}/{secrets.token_hex(8)}"}
        body = secrets.token_bytes(_BYTES)
        put = self._cloud.call("s3", "put_object", **where, Body=body)
        got = self._cloud.call("s3", "get_object", **where)
        came = got["Body"].read()
        version = {"VersionId": put["VersionId"]} if put.get("VersionId") else {}
        self._cloud.call("s3", "delete_object", **where, **version)
        if came != body:
            raise OperationFailed("the object came back changed", where=str(where))
        how = got.get("ServerSideEncryption") or "no encryption reported"
        return f"{_BYTES >> 20} MiB there and back, {how}, deleted"

    def train(self) -> str | Skipped:
        """Start the pipeline and wait for its end."""
        name = self._targets.pipeline
        if name is None:
            return Skipped("the stack declares no pipeline")
        token = f"{FOLDER}-{secrets.token_hex(16)}"
        started = self._cloud.call(
            "sagemaker", "start_pipeline_execution", PipelineName=name, ClientRequestToken=token
        )
        self.execution = str(started["PipelineExecutionArn"])
        wait(self._executing, patience=TRAINING_SECONDS)
        told = self._describe()
        status = told["PipelineExecutionStatus"]
        if status != "Succeeded":
            raise OperationFailed(
                f"the execution is {status}: {told.get('FailureReason') or self._failed_step()}",
                where=self.execution,
                hint="the step's log is in CloudWatch under /aws/sagemaker",
            )
        return f"{self.execution.rpartition('/')[2]} of {name}: {status}"

    def registered(self) -> str | Skipped:
        """The package that this execution registered."""
        if self.execution is None:
            return Skipped("nothing was trained")
        found = self._cloud.call(
            "sagemaker",
            "list_model_packages",
            ModelPackageGroupName=self._targets.group,
            SortBy="CreationTime",
            SortOrder="Descending",
            MaxResults=5,
        )["ModelPackageSummaryList"]
        fresh = [each for each in found if each["CreationTime"] >= self._started]
        if not fresh:
            if self._cloud.site.emulated:
                return Skipped("the emulator's executions run nothing, so nothing was registered")
            raise OperationFailed(
                "the execution registered no model: it did not pass its own condition",
                where=self.execution,
                hint="compare the evaluation with the pipeline's threshold",
            )
        self.package = str(fresh[0]["ModelPackageArn"])
        return f"{self.package.partition('/')[2]}: {fresh[0].get('ModelApprovalStatus')}"

    def lineage(self) -> str | Skipped:
        """From the execution to the package it made."""
        if self.execution is None or self.package is None:
            return Skipped("no package to trace")
        arns = [
            each.get("Metadata", {}).get("RegisterModel", {}).get("Arn")
            for each in self._cloud.pages(
                "sagemaker",
                "list_pipeline_execution_steps",
                "PipelineExecutionSteps",
                PipelineExecutionArn=self.execution,
            )
        ]
        if self.package not in arns:
            raise OperationFailed(
                "the execution does not lead to the package", where=self.execution
            )
        return f"{self.execution.rpartition('/')[2]} -> {self.package.rpartition('/')[2]}"

    def endpoint(self) -> str | Skipped:
        """The endpoint is in service."""
        name = self._targets.endpoint
        if name is None:
            return Skipped("the stack declares no endpoint")
        told = self._cloud.call("sagemaker", "describe_endpoint", EndpointName=name)
        if told["EndpointStatus"] != "InService":
            raise OperationFailed(
                f"endpoint {name} is {told['EndpointStatus']}: {told.get('FailureReason', '')}",
                where=str(told["EndpointArn"]),
            )
        return f"{name} runs {told['EndpointConfigName']}"

    def predict(self) -> str | Skipped:
        """Ask the endpoint."""
        name, sample = self._targets.endpoint, self._targets.sample
        if name is None or sample is None:
            return Skipped("no request to send: use --sample FILE")
        told = self._cloud.call(
            "sagemaker-runtime",
            "invoke_endpoint",
            EndpointName=name,
            ContentType=self._targets.content_type,
            Body=sample,
        )
        answer = told["Body"].read()[:200].decode("utf-8", "replace").strip()
        return f"{told.get('InvokedProductionVariant', 'variant')}: {answer}"

    def _executing(self) -> list[str]:
        going = ("Executing", "Stopping")
        return [str(self.execution)] if self._describe()["PipelineExecutionStatus"] in going else []

    def _describe(self) -> dict[str, Any]:
        return self._cloud.call(
            "sagemaker", "describe_pipeline_execution", PipelineExecutionArn=self.execution
        )

    def _failed_step(self) -> str:
        steps = self._cloud.pages(
            "sagemaker",
            "list_pipeline_execution_steps",
            "PipelineExecutionSteps",
            PipelineExecutionArn=self.execution,
        )
        failed = [each for each in steps if each.get("StepStatus") == "Failed"]
        return (
            "; ".join(f"{e['StepName']}: {e.get('FailureReason')}" for e in failed) or "no reason"
        )


def as_far_as_it_goes(
    work: Callable[[AwsJourney], str | Skipped],
) -> Callable[[AwsJourney], str | Skipped]:
    """`work`, skipped by name where an emulator does not have the call; on AWS it fails."""

    def tried(journey: AwsJourney) -> str | Skipped:
        try:
            return work(journey)
        except ServiceRefused as error:
            if journey._cloud.site.emulated and error.code in _ABSENT_CALLS:
                return Skipped(f"the emulator has no {error.what.partition(': ')[0]}")
            raise

    return tried
