"""`mlops-infra status`: desired and actual state, with the reasons of differences."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from mlops_infra.cli import options, output
from mlops_infra.errors import FoundError, MlopsError

if TYPE_CHECKING:
    from mlops_infra.engine import Engine, Health
    from mlops_infra.lifecycle.registry.recent_runs import RecentRun
    from mlops_infra.overview import Overview


@click.command()
@options.stack
@options.file
@options.as_json
@click.option(
    "--drift", is_flag=True, help="Also compare with the stack file, and with AWS (slower)."
)
@click.option(
    "--html",
    "page",
    type=click.Path(dir_okay=False, writable=True, path_type=Path),
    metavar="FILE",
    help="Also write an HTML page with a diagram of the platform, links and recent runs.",
)
def command(stack: str, file: Path | None, as_json: bool, drift: bool, page: Path | None) -> None:
    """Show the cluster, the components and their Pods.

    Exit code 3 if anything of the stack is not Ready, was deleted or changed by hand, or differs
    from the configuration.
    """
    from mlops_infra import engine
    from mlops_infra.cli.guarding import guarding
    from mlops_infra.config import load, stack_file
    from mlops_infra.images import references
    from mlops_infra.overview import collect, render
    from mlops_infra.plan import make_plan
    from mlops_infra.progress import quiet

    config = load(file or stack_file(stack))
    if config.profile == "aws":
        from mlops_infra.cli.verify_aws import show_status

        show_status(stack, file, quiet, as_json=as_json, drift=drift)
        return
    opened = engine.open_engine(stack, file, quiet)
    outputs = opened.outputs()
    health = engine.stack_health(stack, opened.record, outputs)
    overview = collect(
        config,
        make_plan(config, stack=stack, built=references()),
        outputs,
        health,
        changes=engine.preview(stack, file, quiet, guarding).changes if drift else None,
        runs=_runs(opened, outputs) if page else (),
        live=opened.live_state() if health.cluster in {"running", "reachable"} else None,
    )
    if page:
        page.write_text(render(overview), encoding="utf-8")
    if as_json:
        output.document({**overview.as_dict(), "pods": health.as_dict()["pods"]})
    else:
        _show(overview, health, page)
    if problems := overview.problems():
        raise FoundError(
            f"stack {stack} is not in its desired state",
            problems,
            hint=f"mlops-infra up -s {stack}",
        )


def _runs(opened: Engine, outputs: Mapping[str, Any]) -> Sequence[RecentRun]:
    """Recent runs for the page; a page about a platform whose MLflow is down is still wanted."""
    from mlops_infra.lifecycle.registry.recent_runs import recent_runs
    from mlops_infra.lifecycle.services.credentials import ClusterSecrets, credentials

    uri, record = outputs.get("tracking_uri"), opened.record
    if not isinstance(uri, str):
        return ()
    kubeconfig = Path(record.kubeconfig) if record.kubeconfig else None
    try:
        login = credentials(ClusterSecrets(kubeconfig, record.context)).tracking
        return recent_runs(uri, login)
    except MlopsError as error:
        click.echo(f"recent runs are missing on the page: {error.what}", err=True)
        return ()


def _show(overview: Overview, health: Health, page: Path | None) -> None:
    output.text(f"stack {overview.stack}, cluster {overview.cluster}")
    for note in overview.notes:
        output.text(f"note: {note}")
    output.text()
    rows = [
        (c.name, c.wanted, c.deployed, f"{c.ready}/{c.pods}", c.state, c.why or None)
        for c in overview.components
    ]
    output.table(("component", "wanted", "deployed", "pods", "state", "why"), rows)
    output.text()
    pods = [
        (
            pod.component,
            f"{pod.namespace}/{pod.name}",
            "Completed" if pod.finished else "Ready" if pod.ready else pod.phase,
            pod.restarts,
            pod.reason or None,
        )
        for pod in health.pods
    ]
    output.table(("component", "pod", "state", "restarts", "why"), pods)
    if page:
        output.text(f"page: {page}")
