"""The commands of the onprem profile."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from mlops_infra.cli import output
from mlops_infra.cli.guarding import guarding
from mlops_infra.cli.open_stack import OpenStack
from mlops_infra.cli.profile import Verification, refuse_options
from mlops_infra.errors import MissingError, MlopsError, OperationFailed

if TYPE_CHECKING:
    from mlops_infra.engine import Health
    from mlops_infra.lifecycle.registry.recent_runs import RecentRun
    from mlops_infra.lifecycle.verify.platform import Report
    from mlops_infra.overview import Overview


class OnPremCommands:
    """`status` and `verify` of a stack on Kubernetes."""

    def __init__(self, opened: OpenStack) -> None:
        self._opened = opened

    def status(self, *, drift: bool, page: Path | None, as_json: bool) -> Sequence[str]:
        """The cluster, the components and their Pods."""
        from mlops_infra import engine
        from mlops_infra.backup import StoreDrift
        from mlops_infra.cli import stores
        from mlops_infra.overview import collect, render

        opened = self._opened
        health = engine.stack_health(opened.name, opened.engine.record, opened.outputs)
        changes = None
        if drift:
            changes = engine.preview(opened.name, opened.file, opened.sink, guarding).changes
        reached = health.cluster in {"running", "reachable"}
        compared = stores.drift(opened) if reached else StoreDrift()
        overview = collect(
            opened.config,
            opened.plan,
            opened.outputs,
            health,
            changes=changes,
            runs=self._runs() if page else (),
            live=opened.engine.live_state() if reached else None,
            altered=compared.found,
            notes=compared.notes,
        )
        if page:
            page.write_text(render(overview), encoding="utf-8")
        if as_json:
            output.document({**overview.as_dict(), "pods": health.as_dict()["pods"]})
        else:
            _show(overview, health, page)
        return overview.problems()

    def verify(self, asked: Verification) -> Report:
        """From outside the cluster, through the endpoints of the outputs."""
        from mlops_infra.cli import verify_clients
        from mlops_infra.lifecycle.verify.connections import connect
        from mlops_infra.lifecycle.verify.platform import verify

        refuse_options("onprem", {"--sample": asked.sample is not None})
        opened = self._opened
        cluster = opened.config.cluster
        # Before the engine: a platform that is not there is told without looking for Pulumi first.
        if cluster.embedded:
            _require_real_pods(cluster.name or opened.name, f"mlops-infra up -s {opened.name}")
        services = connect(opened.platform, opened.credentials)
        target = None if asked.core else verify_clients.chosen(opened.config, asked.model)
        clients = verify_clients.clients(opened, target) if target else None
        return verify(services, opened.sink, clients=clients, clean=asked.clean)

    def _runs(self) -> Sequence[RecentRun]:
        """For the page; one about a platform whose MLflow is down is still wanted."""
        from mlops_infra.lifecycle.registry.recent_runs import recent_runs

        uri = self._opened.outputs.get("tracking_uri")
        if not isinstance(uri, str):
            return ()
        try:
            return recent_runs(uri, self._opened.credentials.tracking)
        except MlopsError as error:
            click.echo(f"recent runs are missing on the page: {error.what}", err=True)
            return ()


def _require_real_pods(name: str, again: str) -> None:
    from mlops_infra.cluster import EmbeddedCluster

    status = EmbeddedCluster(name).status()
    if status.phase in ("absent", "stopped"):
        raise OperationFailed(
            f"nothing to verify: cluster {name} is {status.phase}",
            hint=again if status.phase == "absent" else f"mlops-infra cluster start {name}",
        )
    if status.simulated:
        raise MissingError(
            "nothing to verify: the cluster's Pods are simulated",
            where=f"cluster {name}",
            hint=f"run as root, which real Pods need: {again}",
        )


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
