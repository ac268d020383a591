"""Who is told: a topic, a queue of what failed, alarms of endpoints, a dashboard."""

from __future__ import annotations

import json
from typing import Any

import pulumi
from pulumi import ResourceOptions
from pulumi_aws.cloudwatch import Dashboard, MetricAlarm
from pulumi_aws.sns import Topic, TopicPolicy, TopicSubscription
from pulumi_aws.sqs import Queue, QueuePolicy

from mlops_infra.components.aws.foundation.foundation import Foundation

TYPE = "mlops-infra:aws:Alarms"
FOURTEEN_DAYS = 1_209_600
"""Seconds; the longest that SQS keeps a message."""


class Alarms(pulumi.ComponentResource):
    """`topic`, `failures` (the dead-letter queue), and `of_endpoint`: alarms by endpoint."""

    def __init__(self, foundation: Foundation) -> None:
        super().__init__(TYPE, "alarms", {}, ResourceOptions(parent=foundation.parent))
        self._foundation = foundation
        self._below = ResourceOptions(parent=self)
        self.topic = self._topic()
        self.failures = self._failures()
        self.of_endpoint = {name: self._endpoint(name) for name in foundation.config.endpoints}
        self._alarm(
            "failures",
            "Events that reached nobody lie in the queue",
            namespace="AWS/SQS",
            metric_name="ApproximateNumberOfMessagesVisible",
            statistic="Maximum",
            dimensions={"QueueName": foundation.name("queue", "failures")},
            threshold=1,
        )
        if foundation.config.endpoints:
            Dashboard(
                "platform",
                dashboard_name=foundation.name("dashboard", "platform"),
                dashboard_body=json.dumps(dashboard(foundation)),
                opts=self._below,
            )
        self.register_outputs({})

    def _topic(self) -> Topic:
        foundation = self._foundation
        topic = Topic(
            "alarms",
            name=foundation.name("topic", "alarms"),
            kms_master_key_id=foundation.data_key,
            opts=self._below,
        )
        arn = foundation.names.arn("sns", foundation.name("topic", "alarms"))
        services = ("cloudwatch", "events")
        policy = _policy("sns:Publish", arn, services, foundation.names.account)
        TopicPolicy("alarms", arn=topic.arn, policy=json.dumps(policy), opts=self._below)
        for address in foundation.config.alarms.emails:
            TopicSubscription(
                f"mail-{address}",
                topic=topic.arn,
                protocol="email",
                endpoint=address,
                opts=self._below,
            )
        return topic

    def _failures(self) -> Queue:
        foundation = self._foundation
        queue = Queue(
            "failures",
            name=foundation.name("queue", "failures"),
            kms_master_key_id=foundation.data_key,
            message_retention_seconds=FOURTEEN_DAYS,
            opts=self._below,
        )
        arn = foundation.names.arn("sqs", foundation.name("queue", "failures"))
        services = ("events", "scheduler")
        policy = _policy("sqs:SendMessage", arn, services, foundation.names.account)
        QueuePolicy("failures", queue_url=queue.url, policy=json.dumps(policy), opts=self._below)
        return queue

    def _endpoint(self, name: str) -> list[MetricAlarm]:
        """5xx and latency of each variant that answers."""
        config, alarms = self._foundation.config.endpoints[name], []
        limits = self._foundation.config.alarms
        for variant in config.variants:
            if variant.shadow:
                continue
            common = {
                "namespace": "AWS/SageMaker",
                "dimensions": {
                    "EndpointName": self._foundation.name("endpoint", name),
                    "VariantName": variant.name,
                },
            }
            where = f"{name}-{variant.name}"
            alarms += [
                self._alarm(
                    f"{where}-5xx",
                    f"Endpoint {name} answers with 5xx",
                    metric_name="Invocation5XXErrors",
                    statistic="Sum",
                    threshold=limits.errors_per_five_minutes,
                    **common,
                ),
                self._alarm(
                    f"{where}-latency",
                    f"Endpoint {name}: the slowest percent of answers",
                    metric_name="ModelLatency",
                    extended_statistic="p99",
                    # the metric is in microseconds
                    threshold=limits.p99_milliseconds * 1_000,
                    **common,
                ),
            ]
        return alarms

    def _alarm(
        self, name: str, description: str, *, threshold: float, **metric: Any
    ) -> MetricAlarm:
        return MetricAlarm(
            name,
            name=self._foundation.name("alarm", name),
            alarm_description=description,
            comparison_operator="GreaterThanOrEqualToThreshold",
            threshold=threshold,
            evaluation_periods=1,
            period=300,
            # nobody asks at night: that is no fault
            treat_missing_data="notBreaching",
            alarm_actions=[self.topic.arn],
            ok_actions=[self.topic.arn],
            opts=self._below,
            **metric,
        )


def _policy(action: str, arn: str, services: tuple[str, ...], account: str) -> dict[str, Any]:
    """Services of this account may; everybody else may not, and nobody in the clear."""
    allow = {
        "Sid": "ServicesOfThisAccount",
        "Effect": "Allow",
        "Principal": {"Service": [f"{service}.amazonaws.com" for service in services]},
        "Action": action,
        "Resource": arn,
        "Condition": {"StringEquals": {"aws:SourceAccount": account}},
    }
    deny = {
        "Sid": "TlsOnly",
        "Effect": "Deny",
        "Principal": "*",
        "Action": action,
        "Resource": arn,
        "Condition": {"Bool": {"aws:SecureTransport": "false"}},
    }
    return {"Version": "2012-10-17", "Statement": [allow, deny]}


def dashboard(foundation: Foundation) -> dict[str, Any]:
    """One row an endpoint: requests, errors, latency."""
    widgets = []
    for row, (name, config) in enumerate(foundation.config.endpoints.items()):
        endpoint = foundation.name("endpoint", name)
        variants = [v.name for v in config.variants]
        for column, (metric, statistic) in enumerate(_SHOWN):
            series = [
                ["AWS/SageMaker", metric, "EndpointName", endpoint, "VariantName", variant]
                for variant in variants
            ]
            widgets.append(
                {
                    "type": "metric",
                    "x": 8 * column,
                    "y": 6 * row,
                    "width": 8,
                    "height": 6,
                    "properties": {
                        "title": f"{name}: {metric}",
                        "region": foundation.config.region,
                        "metrics": series,
                        "stat": statistic,
                        "period": 300,
                    },
                }
            )
    return {"widgets": widgets}


_SHOWN = (("Invocations", "Sum"), ("Invocation5XXErrors", "Sum"), ("ModelLatency", "p99"))


def build_alarms(foundation: Foundation) -> Alarms:
    """Declare topic, queue, alarms and dashboard."""
    return Alarms(foundation)
