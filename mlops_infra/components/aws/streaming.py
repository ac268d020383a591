"""Streams: records that arrive one by one become files of the lake."""

from __future__ import annotations

import pulumi
from pulumi import ResourceOptions
from pulumi_aws.cloudwatch import LogStream
from pulumi_aws.kinesis import FirehoseDeliveryStream, Stream

from mlops_infra.components.aws.foundation.foundation import Foundation
from mlops_infra.components.aws.foundation.places import bucket_and_prefix
from mlops_infra.components.aws.iam.roles import (
    RoleSpec,
    Statement,
    use_key,
    write_logs,
    write_objects,
)
from mlops_infra.config.aws.streams import Stream as StreamConfig

TYPE = "mlops-infra:aws:Streaming"
BY_DAY = "day=!{timestamp:yyyy-MM-dd}/"
"""One folder a day (UTC): what Glue takes for a partition."""


class Streaming(pulumi.ComponentResource):
    """`streams` by name: where producers put records."""

    def __init__(self, foundation: Foundation) -> None:
        super().__init__(TYPE, "streaming", {}, ResourceOptions(parent=foundation.parent))
        self._foundation = foundation
        self._logs = foundation.log_group("firehose", parent=self)
        configs = foundation.config.streams
        arns = [
            foundation.names.arn("kinesis", f"stream/{foundation.name('stream', name)}")
            for name in configs
        ]
        spec = RoleSpec(
            "firehose",
            "firehose",
            (
                *write_objects("Raw", foundation.bucket_arn("raw")),
                *write_objects("Curated", foundation.bucket_arn("curated")),
                Statement("Streams", _READ, tuple(arns)),
                use_key("Keys", foundation.data_key),
                write_logs("Logs", foundation.log_group_arn("firehose")),
            ),
        )
        self._role, self._policy = foundation.role_with_policy(spec, parent=self)
        self.streams = {name: self._stream(name, config) for name, config in configs.items()}
        self.register_outputs({})

    def _stream(self, name: str, config: StreamConfig) -> Stream:
        below = ResourceOptions(parent=self)
        mode = "ON_DEMAND" if config.shards is None else "PROVISIONED"
        stream = Stream(
            name,
            name=self._foundation.name("stream", name),
            shard_count=config.shards,
            retention_period=config.retention_hours,
            stream_mode_details={"stream_mode": mode},
            encryption_type="KMS",
            kms_key_id=self._foundation.data_key,
            opts=below,
        )
        self._delivery(name, config, stream)
        return stream

    def _delivery(self, name: str, config: StreamConfig, stream: Stream) -> None:
        foundation = self._foundation
        log = LogStream(
            name, name=name, log_group_name=self._logs.name, opts=ResourceOptions(parent=self)
        )
        _, prefix = bucket_and_prefix(foundation, config.path)
        bucket = foundation.bucket_arn("raw" if config.path.startswith("raw/") else "curated")
        FirehoseDeliveryStream(
            name,
            name=foundation.name("firehose", name),
            destination="extended_s3",
            kinesis_source_configuration={
                "kinesis_stream_arn": stream.arn,
                "role_arn": self._role.arn,
            },
            extended_s3_configuration={
                "bucket_arn": bucket,
                "role_arn": self._role.arn,
                "prefix": prefix + BY_DAY,
                # not below the prefix: a crawler would take it for data
                "error_output_prefix": f"failed/{name}/!{{firehose:error-output-type}}/",
                "buffering_interval": config.buffer_seconds,
                "buffering_size": config.buffer_mb,
                "compression_format": "GZIP",
                "kms_key_arn": foundation.data_key,
                "cloudwatch_logging_options": {
                    "enabled": True,
                    "log_group_name": self._logs.name,
                    "log_stream_name": log.name,
                },
            },
            opts=ResourceOptions(parent=self, depends_on=[self._policy, *foundation.ready]),
        )


_READ = (
    "kinesis:DescribeStream",
    "kinesis:DescribeStreamSummary",
    "kinesis:GetRecords",
    "kinesis:GetShardIterator",
    "kinesis:ListShards",
)


def build_streaming(foundation: Foundation) -> Streaming | None:
    """Declare the streams; nothing where the configuration has none."""
    return Streaming(foundation) if foundation.config.streams else None
