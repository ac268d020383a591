"""A small platform on the emulator, made by boto3, and the state that Pulumi would have of it.

Pulumi's own plug-in for AWS cannot be had everywhere, so `Platform.destroy` stands in for its
destroy: it deletes what the state names, in the reverse of the order it was made in, and like AWS
it fails at a crawler that runs, a group with packages and a bucket that is not empty.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

from mlops_infra import contract
from mlops_infra.aws import Cloud
from mlops_infra.teardown.aws.scope import Made, Scope

STACK, BASE = "trial", "mlops-trial"
TAGS = [{"Key": contract.STACK_TAG, "Value": STACK}]
ROLE = "arn:aws:iam::123456789012:role/mlops-trial-work"
IMAGE = "123456789012.dkr.ecr.us-east-1.amazonaws.com/model:1"


@dataclass
class Platform:
    """What was made; with `protect` as a prod configuration would have it."""

    cloud: Cloud
    protect: bool = False
    resources: list[dict[str, Any]] = field(default_factory=list)
    deletes: dict[str, Callable[[], object]] = field(default_factory=dict)
    before_each: Callable[[str], None] = lambda _urn: None

    def scope(self) -> Scope:
        return Scope.of(STACK, BASE, self.resources)

    def destroy(self, keep: Sequence[Made]) -> int:
        kept = {each.urn for each in keep}
        gone = 0
        for urn, delete in reversed(list(self.deletes.items())):
            if urn not in kept:
                self.before_each(urn)
                delete()
                gone += 1
        return gone

    def record(self, type_token: str, name: str, delete: Callable[[], object], **more: Any) -> None:
        urn = f"urn:pulumi:{STACK}::mlops-infra::{type_token}::{name}"
        self.resources.append({"type": type_token, "urn": urn, "id": name, **more})
        self.deletes[urn] = delete

    def call(self, service: str, method: str, **parameters: Any) -> dict[str, Any]:
        return self.cloud.call(service, method, **parameters)

    def gone(self, service: str, method: str, **parameters: Any) -> Callable[[], object]:
        return lambda: self.cloud.find(service, method, **parameters)


class _Deaf(Cloud):
    """Makes nothing: what was made before is only recorded again."""

    def call(self, service: str, method: str, /, **parameters: Any) -> dict[str, Any]:
        if method.startswith(("create_", "put_", "start_", "register_", "delete_object")):
            return {"ModelPackageGroupArn": ""}
        return super().call(service, method, **parameters)


def adopt(cloud: Cloud) -> Platform:
    """The platform that another process built; nothing is made."""
    made = build(_Deaf(cloud.site), keys=0)
    made.cloud = cloud
    return made


def build(cloud: Cloud, *, protect: bool = False, force: bool = False, keys: int = 12) -> Platform:
    """Crawler, registered packages, endpoint with scaling and monitor, versioned bucket, rules."""
    made = Platform(cloud, protect)
    _bucket(made, force=force, keys=keys)
    _catalogue(made)
    registry(made)
    _serving(made)
    _training(made)
    return made


def _bucket(made: Platform, *, force: bool, keys: int) -> None:
    name = f"{BASE}-raw-123456789012-us-east-1"
    made.call("s3", "create_bucket", Bucket=name)
    made.call("s3", "put_bucket_tagging", Bucket=name, Tagging={"TagSet": TAGS})
    on = {"Status": "Enabled"}
    made.call("s3", "put_bucket_versioning", Bucket=name, VersioningConfiguration=on)
    fill(made.cloud, name, keys)
    made.record(
        "aws:s3/bucket:Bucket", name, made.gone("s3", "delete_bucket", Bucket=name),
        outputs={"arn": f"arn:aws:s3:::{name}"}, inputs={"forceDestroy": force},
        protect=made.protect,
    )  # fmt: skip
    policy = {
        "Version": "2012-10-17",
        "Statement": [
            {"Effect": "Deny", "Principal": "*", "Action": "s3:PutBucketAcl", "Resource": "*"}
        ],
    }
    made.call("s3", "put_bucket_policy", Bucket=name, Policy=json.dumps(policy))
    delete = made.gone("s3", "delete_bucket_policy", Bucket=name)
    guards = {"bucket": name}
    made.record("aws:s3/bucketPolicy:BucketPolicy", f"{name}-policy", delete, inputs=guards)


def fill(cloud: Cloud, bucket: str, keys: int) -> None:
    """For each key two versions, and a delete marker on every second one; one unfinished upload."""

    def one(number: int) -> None:
        key = f"orders/{number:05}.csv"
        for body in (b"a,b\n", b"a,b\n1,2\n"):
            cloud.call("s3", "put_object", Bucket=bucket, Key=key, Body=body)
        if number % 2:
            cloud.call("s3", "delete_object", Bucket=bucket, Key=key)

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(one, range(keys)))
    cloud.call("s3", "create_multipart_upload", Bucket=bucket, Key="half")


def _catalogue(made: Platform) -> None:
    made.call("glue", "create_database", DatabaseInput={"Name": "mlops_trial_lake"})
    made.record(
        "aws:glue/catalogDatabase:CatalogDatabase", "mlops_trial_lake",
        made.gone("glue", "delete_database", Name="mlops_trial_lake"),
    )  # fmt: skip
    crawler(made, f"{BASE}-orders")


def crawler(made: Platform, name: str) -> None:
    """A crawler that runs."""
    target = {"S3Targets": [{"Path": "s3://x/orders"}]}
    made.call(
        "glue", "create_crawler", Name=name, Role=ROLE, DatabaseName="mlops_trial_lake",
        Targets=target, Tags={contract.STACK_TAG: STACK},
    )  # fmt: skip
    made.call("glue", "start_crawler", Name=name)
    made.record("aws:glue/crawler:Crawler", name, made.gone("glue", "delete_crawler", Name=name))


def registry(made: Platform, *, group: str = f"{BASE}-models", packages: int = 3) -> None:
    """A group with packages, as the training loop registers them, unknown to the state."""
    told = made.call(
        "sagemaker", "create_model_package_group", ModelPackageGroupName=group, Tags=TAGS,
        ModelPackageGroupDescription="",
    )  # fmt: skip
    for _ in range(packages):
        made.call(
            "sagemaker", "create_model_package", ModelPackageGroupName=group,
            ModelPackageDescription="",
        )  # fmt: skip
    made.record(
        "aws:sagemaker/modelPackageGroup:ModelPackageGroup", group,
        made.gone("sagemaker", "delete_model_package_group", ModelPackageGroupName=group),
        outputs={"arn": told["ModelPackageGroupArn"]}, protect=made.protect,
    )  # fmt: skip


def endpoints(made: Platform, count: int) -> None:
    """Endpoints of the stack's name that its state does not know."""
    configuration(made, f"{BASE}-any")
    for number in range(count):
        made.call(
            "sagemaker", "create_endpoint", EndpointName=f"{BASE}-stray-{number}",
            EndpointConfigName=f"{BASE}-any",
        )  # fmt: skip


def configuration(made: Platform, name: str) -> None:
    """A model and the configuration of an endpoint."""
    sagemaker = "sagemaker"
    made.call(
        sagemaker, "create_model", ModelName=name, ExecutionRoleArn=ROLE, Tags=TAGS,
        PrimaryContainer={"Image": IMAGE},
    )  # fmt: skip
    made.record(
        "aws:sagemaker/model:Model", name, made.gone(sagemaker, "delete_model", ModelName=name)
    )
    variant = {
        "VariantName": "champion", "ModelName": name, "InitialInstanceCount": 1,
        "InstanceType": "ml.m4.xlarge", "InitialVariantWeight": 1.0,
    }  # fmt: skip
    made.call(
        sagemaker, "create_endpoint_config", EndpointConfigName=name,
        ProductionVariants=[variant], Tags=TAGS,
    )  # fmt: skip
    made.record(
        "aws:sagemaker/endpointConfiguration:EndpointConfiguration", name,
        made.gone(sagemaker, "delete_endpoint_config", EndpointConfigName=name),
    )  # fmt: skip


def _serving(made: Platform) -> None:
    name = f"{BASE}-demand"
    sagemaker = "sagemaker"
    configuration(made, name)
    made.call(sagemaker, "create_endpoint", EndpointName=name, EndpointConfigName=name, Tags=TAGS)
    made.record(
        "aws:sagemaker/endpoint:Endpoint", name,
        made.gone(sagemaker, "delete_endpoint", EndpointName=name),
        outputs={"name": name, "endpointConfigName": name},
    )  # fmt: skip
    # a canary that somebody left: of the stack's name, unknown to its state
    stray = f"{BASE}-canary"
    made.call(sagemaker, "create_endpoint", EndpointName=stray, EndpointConfigName=name)
    made.call(
        "application-autoscaling", "register_scalable_target", ServiceNamespace=sagemaker,
        ResourceId=f"endpoint/{name}/variant/champion", MinCapacity=1, MaxCapacity=4,
        ScalableDimension="sagemaker:variant:DesiredInstanceCount",
    )  # fmt: skip
    made.call(
        sagemaker, "create_monitoring_schedule", MonitoringScheduleName=f"{BASE}-watch",
        MonitoringScheduleConfig={"MonitoringType": "DataQuality"},
    )  # fmt: skip
    made.call("logs", "create_log_group", logGroupName=f"/aws/sagemaker/Endpoints/{name}")


def _training(made: Platform) -> None:
    rule = f"{BASE}-weekly"
    made.call("events", "put_rule", Name=rule, ScheduleExpression="rate(7 days)", Tags=TAGS)
    made.record(
        "aws:cloudwatch/eventRule:EventRule", rule, made.gone("events", "delete_rule", Name=rule)
    )
    pipeline = f"{BASE}-demand"
    made.call(
        "sagemaker", "create_pipeline", PipelineName=pipeline, RoleArn=ROLE, Tags=TAGS,
        PipelineDisplayName=pipeline, ClientRequestToken="x" * 32,
        PipelineDefinition=json.dumps({"Version": "2020-12-01", "Steps": []}),
    )  # fmt: skip
    made.record(
        "aws:sagemaker/pipeline:Pipeline", pipeline,
        made.gone(
            "sagemaker", "delete_pipeline", PipelineName=pipeline, ClientRequestToken="x" * 32
        ),
    )  # fmt: skip
    made.call("sagemaker", "start_pipeline_execution", PipelineName=pipeline)
    made.call(
        "sagemaker", "create_training_job", TrainingJobName="somebodys-own-name", RoleArn=ROLE,
        AlgorithmSpecification={"TrainingImage": IMAGE, "TrainingInputMode": "File"},
        OutputDataConfig={"S3OutputPath": "s3://x/y"}, Tags=TAGS,
        ResourceConfig={"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 1},
        StoppingCondition={"MaxRuntimeInSeconds": 60},
    )  # fmt: skip
