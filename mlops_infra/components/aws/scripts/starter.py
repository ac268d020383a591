"""Lambda: starts one run of a SageMaker pipeline for one event, however often the event comes.

EventBridge hands `{"trigger": ..., "event": {...}}` over. The run's token is made of trigger and
event, so a second delivery starts nothing. What cannot be started raises, and after its retries the
event lies in the dead-letter queue.
"""

import hashlib
import json
import logging
import os
from datetime import datetime, timedelta, timezone
from functools import lru_cache
from typing import Any

LOG = logging.getLogger()
LOG.setLevel(logging.INFO)
PATIENT = ("newData", "drift")
"""Causes that a cool-down holds back; a person and a calendar are not."""


@lru_cache(maxsize=1)
def _sagemaker() -> Any:
    import boto3
    from botocore.config import Config

    retries: Any = {"mode": "standard", "total_max_attempts": 5}
    config = Config(connect_timeout=5, read_timeout=20, retries=retries)
    return boto3.client("sagemaker", config=config)


def handler(given: dict[str, Any], context: Any) -> dict[str, str]:
    """Start the pipeline of a trigger.

    Returns:
        `started` with the run's ARN, or `skipped` with the reason.

    Raises:
        KeyError: no such trigger, or the event has no id.
        botocore.exceptions.ClientError: SageMaker refuses.
    """
    del context
    name, event = given["trigger"], given["event"]
    trigger = json.loads(os.environ["TRIGGERS"])[name]
    wait = timedelta(minutes=trigger.get("coolDownMinutes", 0))
    if wait and trigger["cause"] in PATIENT:
        last = _last_start(trigger["pipeline"])
        if last is not None and datetime.now(timezone.utc) - last < wait:  # noqa: UP017
            LOG.info("skipped %s: the last run began at %s", name, last)
            return {"skipped": f"the last run began at {last.isoformat()}"}
    answer = _sagemaker().start_pipeline_execution(
        PipelineName=trigger["pipeline"],
        PipelineExecutionDisplayName=f"{name}-{event['id']}"[:82].rstrip("-"),
        PipelineExecutionDescription=f"{trigger['cause']}: {_why(event)}"[:1024],
        PipelineParameters=[
            {"Name": key, "Value": value} for key, value in trigger["parameters"].items()
        ],
        ClientRequestToken=token(name, event),
    )
    LOG.info("started %s", answer["PipelineExecutionArn"])
    return {"started": answer["PipelineExecutionArn"]}


def token(trigger: str, event: dict[str, Any]) -> str:
    """The same for each delivery of one event (SageMaker takes 32 to 128 characters)."""
    return hashlib.sha256(f"{trigger} {event['id']}".encode()).hexdigest()


def _last_start(pipeline: str) -> datetime | None:
    found = _sagemaker().list_pipeline_executions(
        PipelineName=pipeline, SortBy="CreationTime", SortOrder="Descending", MaxResults=1
    )["PipelineExecutionSummaries"]
    return found[0]["StartTime"] if found else None


def _why(event: dict[str, Any]) -> str:
    detail = event.get("detail") or {}
    key = (detail.get("object") or {}).get("key")
    return str(key or detail.get("alarmName") or detail.get("ModelPackageArn") or event.get("time"))
