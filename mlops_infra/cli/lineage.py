"""`mlops-infra lineage`: from any id of a model's life to all the others."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

import click

from mlops_infra.cli import options, output, render
from mlops_infra.errors import FoundError

if TYPE_CHECKING:
    from mlops_infra.lifecycle.lineage.endpoint_history import Step
    from mlops_infra.lifecycle.lineage.traces import Trace

_SHORT = 12
"""Letters shown of commits and fingerprints; all of them are found again."""


@click.command()
@click.argument("any_id", metavar="ID")
@options.stack
@options.file
@options.as_json
def command(any_id: str, stack: str, file: Path | None, as_json: bool) -> None:
    """Show everything linked to a run, model, data set or commit.

    ID is a pipeline run, an MLflow run, the SHA-256 of training data, NAME/VERSION of a model,
    TENANT/NAME of an endpoint, or a commit; SHA-256 and commit can be shortened to seven digits.
    Exit code 3 if the id is unknown.
    """
    from mlops_infra.cli.open_stack import OpenStack
    from mlops_infra.errors import InputError
    from mlops_infra.lifecycle.lineage.endpoint_history import EndpointHistory
    from mlops_infra.lifecycle.lineage.index import Lineage
    from mlops_infra.lifecycle.services.valkey import ValkeyStore

    opened = OpenStack(stack, file, render.sink_for(as_json))
    credentials, platform = opened.credentials, opened.platform
    if platform.lineage_endpoint is None:
        raise InputError(
            f"stack '{stack}' keeps no lineage", hint="set stores.kv.state to managed or external"
        )
    store = ValkeyStore(platform.lineage_endpoint, credentials.lineage_password)
    traces = Lineage(store).find(any_id)
    history = EndpointHistory(store)
    if any(trace.endpoint == any_id for trace in traces):
        shown = history.of(any_id)
    else:
        shown = history.of_models(dict.fromkeys(t.model for t in traces if t.model))
    if as_json:
        output.document(_as_dict(any_id, traces, shown, platform.tracking_uri))
    elif traces:
        _show(traces, shown, platform.tracking_uri)
    if not traces:
        raise FoundError(
            f"unknown id: '{any_id}'", hint="see the six kinds of ids: mlops-infra lineage --help"
        )


def _show(traces: list[Trace], steps: list[Step], tracking: str) -> None:
    output.table(
        ("model", "endpoint", "pipeline run", "mlflow run", "data", "commit"),
        [
            (t.model, t.endpoint, t.pipeline_run, t.tracking_run, _cut(t.data), _cut(t.commit))
            for t in traces
        ],
    )
    if steps:
        output.text()
        output.table(
            ("time", "endpoint", "version", "step", "numbers", "why"),
            [(s.at, s.endpoint, s.version, s.what, _figures(s), s.detail or None) for s in steps],
        )
    output.text()
    for link in dict.fromkeys(link for trace in traces for link in links(trace, tracking)):
        output.text(link)


def links(trace: Trace, tracking: str) -> list[str]:
    """Pages of MLflow about a trace."""
    found = []
    if trace.model:
        name, _, version = trace.model.rpartition("/")
        found.append(f"{tracking}/#/models/{quote(name)}/versions/{version}")
    if trace.tracking_run:
        found.append(f"{tracking}/#/runs/{quote(trace.tracking_run)}")
    return found


def _as_dict(
    any_id: str, traces: list[Trace], steps: list[Step], tracking: str
) -> dict[str, object]:
    from dataclasses import asdict

    return {
        "id": any_id,
        "traces": [{**asdict(t), "links": links(t, tracking)} for t in traces],
        "steps": [asdict(each) for each in steps],
    }


def _cut(value: str | None) -> str | None:
    return value[:_SHORT] if value else None


def _figures(step: Step) -> str | None:
    return " ".join(f"{name}={value:g}" for name, value in step.numbers.items()) or None
