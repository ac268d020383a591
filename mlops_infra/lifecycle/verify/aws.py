"""Goes once around the MLOps loop of a stack on AWS and tells what worked.

object store -> training by the pipeline -> registry -> lineage; endpoint -> prediction. On an
emulator, what that does not have is named and skipped.
"""

from __future__ import annotations

import time

from mlops_infra.aws import Cloud
from mlops_infra.lifecycle.verify.aws_journey import AwsJourney, Targets, as_far_as_it_goes
from mlops_infra.lifecycle.verify.checks import Check, StepResult, run
from mlops_infra.lifecycle.verify.platform import Report
from mlops_infra.progress import Sink

_REACH, _TRAIN = "Reaching AWS", "Training by the pipeline"
_REGISTERED, _ENDPOINT = "Finding the registered model", "Looking at the endpoint"
_STEPS = (
    Check(_REACH, AwsJourney.reach),
    Check("Object store round trip", as_far_as_it_goes(AwsJourney.round_trip), (_REACH,)),
    Check(_TRAIN, as_far_as_it_goes(AwsJourney.train), (_REACH,)),
    Check(_REGISTERED, as_far_as_it_goes(AwsJourney.registered), (_TRAIN,)),
    Check("Following the lineage", as_far_as_it_goes(AwsJourney.lineage), (_REGISTERED,)),
    Check(_ENDPOINT, as_far_as_it_goes(AwsJourney.endpoint), (_REACH,)),
    Check("Predicting", as_far_as_it_goes(AwsJourney.predict), (_ENDPOINT,)),
)


def verify(cloud: Cloud, targets: Targets, sink: Sink) -> Report:
    """Make the journey; never raises for what the platform does wrong."""
    started = time.monotonic()
    journey = AwsJourney(cloud, targets)
    results: dict[str, StepResult] = {}
    run(_STEPS, journey, sink, results)
    return Report(
        steps=tuple(results.values()),
        pipeline_run=journey.execution or "",
        tracking_run=None,
        model=journey.package,
        seconds=time.monotonic() - started,
    )
