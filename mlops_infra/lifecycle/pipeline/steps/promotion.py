"""The end of a pipeline in a cluster: the new version meets the traffic, if it deserves it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from mlops_infra.errors import InputError
from mlops_infra.lifecycle.pipeline.steps.job import Job
from mlops_infra.lifecycle.promotion.access import in_a_pod
from mlops_infra.lifecycle.promotion.policy import Policy
from mlops_infra.lifecycle.promotion.rollout import Rollout

_TOKEN = Path("/var/run/secrets/kubernetes.io/serviceaccount/token")
SMALLER_IS_BETTER = ("log_loss", "mae", "rmse")


def decide(job: Job, registration: Mapping[str, Any]) -> dict[str, Any]:
    """Promote the registered version by the policy that the parameters describe.

    A version that is refused or taken back is a result like any other, and no failure of the run.

    Raises:
        InputError: the policy makes no sense, or the environment lacks something.
        OperationFailed: a service does not answer; the step goes on where it stopped when it is
            tried again.
    """
    name, version = str(registration["model"]), str(registration["version"])
    if not _TOKEN.exists():
        reason = "not in a cluster; to promote it: mlops-infra promote"
        return {"outcome": "skipped", "model": name, "version": version, "reason": reason}
    access = in_a_pod(job.around)
    rollout = Rollout(access.parts(name), policy(job), access.tenant, name)
    return asdict(rollout.promote(version))


def policy(job: Job) -> Policy:
    """The policy of a run; raises `InputError` where its parameters make none."""
    metric = job.text("metric")
    return Policy(
        metric=metric,
        direction="min" if metric in SMALLER_IS_BETTER else "max",
        least_improvement=job.number("min_improvement"),
        shadow_seconds=job.number("shadow_seconds"),
        canary=_shares(job.text("canary")),
        canary_seconds=job.number("canary_seconds"),
    )


def _shares(text: str) -> tuple[int, ...]:
    try:
        return tuple(int(share) for share in text.split(",") if share.strip())
    except ValueError as error:
        raise InputError(
            f"'{text}' is not a list of percentages", hint="percentages, for example 10,50"
        ) from error
