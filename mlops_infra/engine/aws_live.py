"""Compares what AWS runs with what the state says that it should.

SageMaker takes an endpoint back to its old configuration when an alarm rings or a container does
not start, and the provider reports success (its issue 46663). Only asking the endpoint tells.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from mlops_infra.aws import Cloud

ENDPOINT = "aws:sagemaker/endpoint:Endpoint"


@dataclass(frozen=True, slots=True)
class Wanted:
    """An endpoint and the configuration that it should run."""

    endpoint: str
    configuration: str


def wanted(resources: Iterable[Mapping[str, Any]]) -> tuple[Wanted, ...]:
    """The endpoints of an exported state."""
    found = []
    for each in resources:
        if each.get("type") == ENDPOINT:
            inputs = each.get("inputs") or {}
            name = str(inputs.get("name") or each.get("id"))
            found.append(Wanted(name, str(inputs.get("endpointConfigName", ""))))
    return tuple(found)


def differences(cloud: Cloud, endpoints: Iterable[Wanted]) -> list[str]:
    """What is not as wanted, as sentences; empty where all is well."""
    found = []
    for each in endpoints:
        told = cloud.find("sagemaker", "describe_endpoint", EndpointName=each.endpoint)
        if told is None:
            found.append(f"endpoint {each.endpoint} does not exist")
            continue
        live, status = told["EndpointConfigName"], told["EndpointStatus"]
        if status not in ("InService", "Updating", "Creating"):
            why = told.get("FailureReason") or "AWS gives no reason"
            found.append(f"endpoint {each.endpoint} is {status}: {why}")
        if live != each.configuration:
            why = told.get("FailureReason") or "SageMaker rolled the change back"
            found.append(
                f"endpoint {each.endpoint} runs {live}, and {each.configuration} was asked for: "
                f"{why}"
            )
    return found
