"""Goes once around the MLOps loop of a running platform and tells what worked.

data -> model -> tracking -> registry -> model again -> same answers; and the pipeline's run and the
tracking run lead to each other. Every step has its own time; what hangs on a failed step is skipped
and says so.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from mlops_infra.errors import MlopsError
from mlops_infra.lifecycle.journey import Journey, Services, Skipped
from mlops_infra.progress import Outcome, Sink, step

Work = Callable[[Journey], str | Skipped]
"""One step: does its work on the journey, returns what to tell, raises MlopsError."""


@dataclass(frozen=True, slots=True)
class StepResult:
    """How one step went."""

    title: str
    outcome: Outcome
    seconds: float
    detail: str
    error: MlopsError | None = None


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


@dataclass(frozen=True, slots=True)
class _Planned:
    title: str
    work: Work
    needs: tuple[str, ...] = ()


_STEPS = (
    _Planned("Reaching the endpoints", Journey.reach),
    _Planned("Loading the libraries", Journey.prepare, ("Reaching the endpoints",)),
    _Planned("Making the data set", Journey.make_data, ("Loading the libraries",)),
    _Planned("Training a model", Journey.train, ("Making the data set",)),
    _Planned("Logging the run", Journey.log, ("Training a model",)),
    _Planned("Reading the run back", Journey.read_back, ("Logging the run",)),
    _Planned("Saving the model", Journey.save_model, ("Logging the run",)),
    _Planned("Registering the model", Journey.register, ("Saving the model",)),
    _Planned("Loading it and predicting", Journey.predict, ("Registering the model",)),
    _Planned("Linking both runs", Journey.link, ("Logging the run",)),
    _Planned("Object store round trip", Journey.round_trip, ("Reaching the endpoints",)),
)
_CLEAN = _Planned("Cleaning up", Journey.clean)


def verify(services: Services, sink: Sink, *, clean: bool = False) -> Report:
    """Make the journey through `services`; never raises for what the platform does wrong."""
    started = time.monotonic()
    journey = Journey(services, pipeline_run=f"verify-{secrets.token_hex(8)}")
    results: dict[str, StepResult] = {}
    for planned in (*_STEPS, _CLEAN) if clean else _STEPS:
        results[planned.title] = _attempt(planned, journey, results, sink)
    return Report(
        steps=tuple(results.values()),
        pipeline_run=journey.pipeline_run,
        tracking_run=journey.run.run_id if journey.run else None,
        model=journey.version.uri if journey.version else None,
        seconds=time.monotonic() - started,
        cleaned=clean and results[_CLEAN.title].outcome == "done",
    )


def _attempt(
    planned: _Planned, journey: Journey, so_far: dict[str, StepResult], sink: Sink
) -> StepResult:
    broken = [name for name in planned.needs if so_far[name].outcome in ("failed", "skipped")]
    started = time.monotonic()
    outcome: Outcome = "done"
    error: MlopsError | None = None
    with step(sink, planned.title) as shown:
        if broken:
            outcome, detail = "skipped", f"needs: {broken[0]}"
        else:
            try:
                told = planned.work(journey)
                if isinstance(told, Skipped):
                    outcome, detail = "skipped", told.why
                else:
                    detail = told
            except MlopsError as raised:
                outcome, detail, error = "failed", raised.what, raised
        shown.end(outcome, detail)
    return StepResult(planned.title, outcome, time.monotonic() - started, detail, error)
