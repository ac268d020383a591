"""Goes once around the MLOps loop of a running platform and tells what worked.

data -> model -> tracking -> registry -> model again -> same answers; and the pipeline's run and the
tracking run lead to each other. Every step has its own time; what hangs on a failed step is skipped
and says so.
"""

from __future__ import annotations

import secrets
import time
from dataclasses import dataclass, field

from mlops_infra.lifecycle.verify import tour
from mlops_infra.lifecycle.verify.checks import Check, StepResult, run
from mlops_infra.lifecycle.verify.journey import Journey, Services
from mlops_infra.lifecycle.verify.tour import TourClients
from mlops_infra.progress import Sink


@dataclass(frozen=True, slots=True)
class Report:
    """How the whole journey went."""

    steps: tuple[StepResult, ...]
    pipeline_run: str
    tracking_run: str | None
    model: str | None
    seconds: float
    cleaned: bool = field(default=False)

    @property
    def failures(self) -> tuple[StepResult, ...]:
        """The steps that failed; empty for a platform that works."""
        return tuple(result for result in self.steps if result.outcome == "failed")


_STEPS = (
    Check("Reaching the endpoints", Journey.reach),
    Check("Loading the libraries", Journey.prepare, ("Reaching the endpoints",)),
    Check("Making the data set", Journey.make_data, ("Loading the libraries",)),
    Check("Training a model", Journey.train, ("Making the data set",)),
    Check("Logging the run", Journey.log, ("Training a model",)),
    Check("Reading the run back", Journey.read_back, ("Logging the run",)),
    Check("Saving the model", Journey.save_model, ("Logging the run",)),
    Check("Registering the model", Journey.register, ("Saving the model",)),
    Check("Loading it and predicting", Journey.predict, ("Registering the model",)),
    Check("Linking both runs", Journey.link, ("Logging the run",)),
    Check("Object store round trip", Journey.round_trip, ("Reaching the endpoints",)),
)
_CLEAN = Check("Cleaning up", Journey.clean)


def verify(
    services: Services, sink: Sink, *, clients: TourClients | None = None, clean: bool = False
) -> Report:
    """Make the journey through `services`; never raises for what the platform does wrong.

    Args:
        services: the endpoints that every platform has.
        sink: progress.
        clients: to one declared model of a tenant, whose whole life is gone through then.
        clean: remove what the journey made at its end.
    """
    started = time.monotonic()
    journey = Journey(services, pipeline_run=f"verify-{secrets.token_hex(8)}")
    results: dict[str, StepResult] = {}
    run(_STEPS, journey, sink, results)
    if clients is not None:
        run(tour.STEPS, tour.Tour(clients), sink, results)
    if clean:
        run((_CLEAN,), journey, sink, results)
    return Report(
        steps=tuple(results.values()),
        pipeline_run=journey.pipeline_run,
        tracking_run=journey.run.run_id if journey.run else None,
        model=journey.version.uri if journey.version else None,
        seconds=time.monotonic() - started,
        cleaned=clean and results[_CLEAN.title].outcome == "done",
    )
