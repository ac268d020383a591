"""Stops what would start something new while the platform goes: the first part of the drain."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from mlops_infra.aws import Cloud
from mlops_infra.aws.faults import NotThere, ServiceRefused
from mlops_infra.aws.waiting import wait
from mlops_infra.progress import Step
from mlops_infra.teardown.aws.scope import ENDPOINT, Scope

_MONITOR = "aws:sagemaker/monitoringSchedule:MonitoringSchedule"
_DETAILS = frozenset(
    {
        "ActionAfterCompletion",
        "Description",
        "EndDate",
        "FlexibleTimeWindow",
        "GroupName",
        "KmsKeyArn",
        "Name",
        "ScheduleExpression",
        "ScheduleExpressionTimezone",
        "StartDate",
        "Target",
    }
)
"""What `GetSchedule` tells and `UpdateSchedule` wants to hear again, or it forgets it."""


def rules(cloud: Cloud, scope: Scope, work: Step) -> None:
    """Disable the stack's EventBridge rules; a rule of another stack is never touched."""
    for rule in cloud.pages("events", "list_rules", "Rules", NamePrefix=scope.base):
        if scope.named(rule["Name"]) and rule.get("State") != "DISABLED":
            work.note(f"rule {rule['Name']}")
            cloud.find("events", "disable_rule", Name=rule["Name"])
            work.advance()


def schedules(cloud: Cloud, scope: Scope, work: Step) -> None:
    """Disable the stack's schedules of EventBridge Scheduler."""
    found = cloud.pages("scheduler", "list_schedules", "Schedules", NamePrefix=scope.base)
    for each in found:
        where = {"Name": each["Name"], "GroupName": each.get("GroupName", "default")}
        told = cloud.find("scheduler", "get_schedule", **where)
        if not scope.named(each["Name"]) or told is None or told.get("State") == "DISABLED":
            continue
        work.note(f"schedule {each['Name']}")
        kept = {key: value for key, value in told.items() if key in _DETAILS and value}
        cloud.find("scheduler", "update_schedule", **{**kept, **where, "State": "DISABLED"})
        work.advance()


def glue_triggers(cloud: Cloud, scope: Scope, work: Step) -> None:
    """Stop the stack's Glue triggers."""
    for trigger in cloud.pages("glue", "get_triggers", "Triggers"):
        if scope.named(trigger["Name"]) and trigger.get("State") == "ACTIVATED":
            work.note(f"trigger {trigger['Name']}")
            cloud.find("glue", "stop_trigger", Name=trigger["Name"])
            work.advance()


def scaling(cloud: Cloud, scope: Scope, work: Step) -> None:
    """Deregister the scalable targets of the stack's endpoints; their policies go with them.

    A target survives its endpoint and scales the next one of that name.
    """
    known = set(scope.ids(ENDPOINT))
    service = {"ServiceNamespace": "sagemaker"}
    targets = cloud.pages(
        "application-autoscaling", "describe_scalable_targets", "ScalableTargets", **service
    )
    for target in list(targets):
        kind, _, rest = target["ResourceId"].partition("/")
        name = rest.partition("/")[0]
        if kind != "endpoint" or not (name in known or scope.named(name)):
            continue
        work.note(f"scaling of {name}")
        cloud.find(
            "application-autoscaling",
            "deregister_scalable_target",
            ResourceId=target["ResourceId"],
            ScalableDimension=target["ScalableDimension"],
            **service,
        )
        work.advance()


def monitors(cloud: Cloud, scope: Scope, work: Step) -> None:
    """Stop the monitoring schedules, and delete those that the state does not know.

    A schedule that is Pending can be neither stopped nor deleted, so that is waited for.
    """
    known = set(scope.ids(_MONITOR))
    found = [
        each for each in _monitors(cloud, scope) if each["MonitoringScheduleStatus"] != "Stopped"
    ]
    names = [each["MonitoringScheduleName"] for each in found]
    wait(lambda: _in_state(cloud, names, "Pending"), work)
    for name in names:
        work.note(f"monitor {name}")
        if name in known:
            _tolerant(lambda n=name: _monitor(cloud, "stop", n))  # type: ignore[misc]
        else:
            _tolerant(lambda n=name: _monitor(cloud, "delete", n))  # type: ignore[misc]
        work.advance()
    wait(lambda: _in_state(cloud, names, "Pending", "Scheduled"), work)


def _monitors(cloud: Cloud, scope: Scope) -> list[dict[str, Any]]:
    endpoints = set(scope.ids(ENDPOINT))
    pages = cloud.pages("sagemaker", "list_monitoring_schedules", "MonitoringScheduleSummaries")
    return [
        each
        for each in pages
        if scope.named(each["MonitoringScheduleName"]) or each.get("EndpointName") in endpoints
    ]


def _monitor(cloud: Cloud, verb: str, name: str) -> object:
    return cloud.find("sagemaker", f"{verb}_monitoring_schedule", MonitoringScheduleName=name)


def _in_state(cloud: Cloud, names: list[str], *states: str) -> list[str]:
    left = []
    for name in names:
        told = _monitor(cloud, "describe", name)
        if isinstance(told, dict) and told["MonitoringScheduleStatus"] in states:
            left.append(name)
    return left


def _tolerant(call: Callable[[], object]) -> None:
    """Run `call`; another state than expected is what the wait that follows is for."""
    try:
        call()
    except NotThere:
        return
    except ServiceRefused as error:
        if error.code not in {"ValidationException", "ConflictException", "ResourceInUse"}:
            raise
