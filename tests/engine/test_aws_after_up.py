"""What `up` does on AWS beside Pulumi: features in place, the approved model, the comparison."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from mlops_infra import contract
from mlops_infra.aws import Cloud
from mlops_infra.aws.feature_additions import WantedGroup
from mlops_infra.engine import aws_approved, aws_features, aws_up
from mlops_infra.engine.aws_graph import declare
from mlops_infra.engine.aws_live import ENDPOINT
from mlops_infra.engine.environment import applied
from mlops_infra.errors import FoundError, InputError
from mlops_infra.progress import quiet
from tests.engine.aws_emulator import Emulator, emulator

FEATURES = {"customer_id": "String", "updated_at": "String", "orders_30d": "Integral"}
ROLE = "arn:aws:iam::123456789012:role/mlops-trial-work"
STACK_FILE = Path(__file__).resolve().parents[2] / "stacks" / "Pulumi.aws-dev.yaml"


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Emulator]:
    with emulator(tmp_path_factory.mktemp("moto"), long=False) as found:
        yield found


@pytest.fixture
def cloud(running: Emulator) -> Cloud:
    running.reset()
    found = running.cloud()
    found.call(
        "sagemaker",
        "create_feature_group",
        FeatureGroupName="customer",
        RecordIdentifierFeatureName="customer_id",
        EventTimeFeatureName="updated_at",
        FeatureDefinitions=[{"FeatureName": n, "FeatureType": t} for n, t in FEATURES.items()],
        RoleArn=ROLE,
        OnlineStoreConfig={"EnableOnlineStore": True},
    )
    return found


def living(cloud: Cloud) -> dict[str, str]:
    told = cloud.call("sagemaker", "describe_feature_group", FeatureGroupName="customer")
    return {each["FeatureName"]: each["FeatureType"] for each in told["FeatureDefinitions"]}


def test_a_hundred_and_one_features_are_added_in_place_and_only_once(cloud: Cloud) -> None:
    more = {f"score_{number}": "Fractional" for number in range(101)}
    groups = (WantedGroup("customer", {**FEATURES, **more}), WantedGroup("not-there", FEATURES))
    lacking = aws_features.compared(cloud, groups)
    assert aws_features.notes(lacking, done=False)[0].startswith(
        "feature group customer would get score_0 (Fractional)"
    )
    aws_features.add_all(cloud, lacking, quiet)
    assert living(cloud) == {**FEATURES, **more}
    assert aws_features.compared(cloud, groups) == []


def test_a_feature_keeps_its_type_and_stays(cloud: Cloud) -> None:
    other = WantedGroup("customer", {**FEATURES, "orders_30d": "Fractional"})
    with pytest.raises(InputError, match="orders_30d of customer is Integral"):
        aws_features.compared(cloud, (other,))
    fewer = WantedGroup("customer", {k: FEATURES[k] for k in ("customer_id", "updated_at")})
    lacking = aws_features.compared(cloud, (fewer,))
    aws_features.add_all(cloud, lacking, quiet)
    assert "orders_30d" in aws_features.notes(lacking, done=True)[0]
    assert living(cloud) == FEATURES


def package(cloud: Cloud, status: str) -> str:
    container = {"Image": "123456789012.dkr.ecr.us-east-1.amazonaws.com/m:1"}
    made = cloud.call(
        "sagemaker",
        "create_model_package",
        ModelPackageGroupName="models",
        ModelApprovalStatus=status,
        InferenceSpecification={"Containers": [container], "SupportedContentTypes": ["text/csv"],
                                "SupportedResponseMIMETypes": ["text/csv"]},
    )  # fmt: skip
    return str(made["ModelPackageArn"])


def test_a_newly_approved_model_reaches_the_endpoint(cloud: Cloud, tmp_path: Path) -> None:
    """Another package is another model, another configuration, and the endpoint takes it."""
    assert aws_approved.newest(cloud, "models") is None
    cloud.call("sagemaker", "create_model_package_group", ModelPackageGroupName="models")
    assert aws_approved.newest(cloud, "models") is None
    first = package(cloud, "Approved")
    package(cloud, "PendingManualApproval")
    assert aws_approved.newest(cloud, "models") == first
    second = package(cloud, "Approved")
    assert aws_approved.newest(cloud, "models") == second
    before, after = endpoint(tmp_path, first), endpoint(tmp_path, second)
    assert before["name"] == after["name"]
    assert before["endpointConfigName"] != after["endpointConfigName"]
    assert endpoint(tmp_path, second) == after


def endpoint(folder: Path, approved: str) -> Any:
    """What the program asks of the endpoint of aws-dev when `approved` is the approved model."""
    found = yaml.safe_load(STACK_FILE.read_text(encoding="utf-8"))
    variant = {"name": "champion", "model": "latest-approved"}
    found["config"]["mlops-infra:aws"]["endpoints"]["demand"]["variants"] = [variant]
    file = folder / "Pulumi.aws-dev.yaml"
    file.write_text(yaml.safe_dump(found), encoding="utf-8")
    with applied({contract.APPROVED_MODEL_VARIABLE: approved}):
        (made,) = [each for each in declare("aws-dev", file) if each.type == ENDPOINT]
    return made.inputs


def test_up_ends_as_a_finding_where_the_endpoint_was_taken_back(cloud: Cloud) -> None:
    serve(cloud)
    aws_up.compare(cloud, state("demand-1"), quiet)
    with pytest.raises(FoundError) as caught:
        aws_up.compare(cloud, state("demand-2"), quiet)
    assert "runs demand-1, and demand-2 was asked for" in str(caught.value.as_dict())


def state(configuration: str) -> list[dict[str, Any]]:
    inputs = {"name": "demand", "endpointConfigName": configuration}
    return [{"type": ENDPOINT, "inputs": inputs}]


def serve(cloud: Cloud) -> None:
    container = {"Image": "123456789012.dkr.ecr.us-east-1.amazonaws.com/m:1"}
    cloud.call("sagemaker", "create_model", ModelName="m", ExecutionRoleArn=ROLE,
               PrimaryContainer=container)  # fmt: skip
    variant = {"VariantName": "champion", "ModelName": "m", "InstanceType": "ml.m5.large",
               "InitialInstanceCount": 1}  # fmt: skip
    cloud.call("sagemaker", "create_endpoint_config", EndpointConfigName="demand-1",
               ProductionVariants=[variant])  # fmt: skip
    cloud.call("sagemaker", "create_endpoint", EndpointName="demand", EndpointConfigName="demand-1")
