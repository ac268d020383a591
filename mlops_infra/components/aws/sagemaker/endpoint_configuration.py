"""The configuration of an endpoint: immutable, and named by its content.

AWS refuses a change of a configuration, and the provider sees none where a new one has the old
name: the endpoint would go on with the old model while every plan is empty (terraform-provider-aws
issue 21811). So each content has a name of its own, and a new name reaches the endpoint.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from pulumi import ResourceOptions
from pulumi_aws.sagemaker import (
    EndpointConfiguration,
    EndpointConfigurationAsyncInferenceConfigArgsDict,
    EndpointConfigurationDataCaptureConfigArgsDict,
    EndpointConfigurationProductionVariantArgs,
    EndpointConfigurationShadowProductionVariantArgs,
    Model,
)

from mlops_infra.components.aws.foundation.foundation import Foundation
from mlops_infra.components.aws.sagemaker.models import digest
from mlops_infra.config.aws.models import Endpoint, Variant

_LOCAL_DISK = re.compile(
    r"^ml\.([a-z]+[0-9]+[a-z]*d[a-z]*|g4dn|g5|g6e?|p[3-9][a-z]*|inf2|trn1n?)\."
)
"""Families with disks of their own, which encrypt themselves: a key is refused there."""


def endpoint_configuration(
    foundation: Foundation,
    name: str,
    config: Endpoint,
    models: Mapping[str, Model],
    contents: Mapping[str, dict[str, str]],
    *,
    opts: ResourceOptions,
) -> EndpointConfiguration:
    """Declare the configuration.

    Args:
        foundation: of the stack.
        name: of the endpoint.
        config: its settings.
        models: by variant.
        contents: what each model is made of: part of the name.
        opts: of the resource.
    """
    live = [v for v in config.variants if not v.shadow]
    shadows = [v for v in config.variants if v.shadow]
    return EndpointConfiguration(
        name,
        name=configuration_name(foundation, name, config, contents),
        kms_key_arn=foundation.data_key if _encrypts(config) else None,
        production_variants=[
            EndpointConfigurationProductionVariantArgs(**_variant(config, v, models)) for v in live
        ],
        shadow_production_variants=[
            EndpointConfigurationShadowProductionVariantArgs(**_variant(config, v, models))
            for v in shadows
        ]
        or None,
        data_capture_config=_capture(foundation, name, config),
        async_inference_config=_queue(foundation, name, config),
        opts=opts,
    )


def configuration_name(
    foundation: Foundation, name: str, config: Endpoint, contents: Mapping[str, dict[str, str]]
) -> str:
    """Name of the configuration that `config` asks for; known before anything exists."""
    told = config.model_dump(mode="json", exclude={"deployment", "scaling"})
    # where things are is content too: another prefix is another configuration
    places = [foundation.bucket("artifacts"), foundation.name("endpoint", name)]
    return foundation.name("endpoint-config", f"{name}-{digest([told, contents, places])}")


def _variant(config: Endpoint, variant: Variant, models: Mapping[str, Model]) -> dict[str, Any]:
    made: dict[str, Any] = {
        "variant_name": variant.name,
        "model_name": models[variant.name].name,
        "initial_variant_weight": variant.weight,
    }
    if config.mode == "serverless":
        given = config.serverless
        return made | {
            "serverless_config": {
                "memory_size_in_mb": given.memory_mb if given else 2048,
                "max_concurrency": given.max_concurrency if given else 5,
            }
        }
    return made | {"instance_type": variant.instance, "initial_instance_count": variant.count}


def _encrypts(config: Endpoint) -> bool:
    disks = [_LOCAL_DISK.match(variant.instance) for variant in config.variants]
    return config.mode != "serverless" and not any(disks)


def _capture(
    foundation: Foundation, name: str, config: Endpoint
) -> EndpointConfigurationDataCaptureConfigArgsDict | None:
    if not config.capture_percent:
        return None
    return {
        "enable_capture": True,
        "initial_sampling_percentage": config.capture_percent,
        "destination_s3_uri": capture_uri(foundation, name),
        "kms_key_id": foundation.data_key,
        "capture_options": [{"capture_mode": "Input"}, {"capture_mode": "Output"}],
        "capture_content_type_header": {
            "csv_content_types": ["text/csv"],
            "json_content_types": ["application/json", "application/jsonlines"],
        },
    }


def capture_uri(foundation: Foundation, name: str) -> str:
    """Folder that requests and answers are recorded in."""
    return foundation.uri("artifacts", "capture", name)


def _queue(
    foundation: Foundation, name: str, config: Endpoint
) -> EndpointConfigurationAsyncInferenceConfigArgsDict | None:
    if config.mode != "async":
        return None
    most = config.queue.max_concurrency if config.queue else 4
    return {
        "client_config": {"max_concurrent_invocations_per_instance": most},
        "output_config": {
            "s3_output_path": foundation.uri("artifacts", "answers", name),
            "s3_failure_path": foundation.uri("artifacts", "failures", name),
            "kms_key_id": foundation.data_key,
        },
    }
