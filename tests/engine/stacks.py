"""Small programs under the product's own engine, with Pulumi's provider and a real API server."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pulumi
from pulumi import ResourceOptions
from pulumi.runtime._callbacks import _CallbackServicer
from pulumi.runtime.settings import SETTINGS

from mlops_infra import places
from mlops_infra.components.onprem import annotated, cluster_provider
from mlops_infra.engine import environment, tools
from mlops_infra.engine.last_run import Given
from mlops_infra.engine.results import Result
from mlops_infra.engine.runner import Engine
from mlops_infra.engine.stack_dir import StackDir
from mlops_infra.engine.stack_record import StackRecord
from mlops_infra.progress import Event, quiet

Program = Callable[[ResourceOptions], None]
NAME = "test"


class Stack:
    """One stack with data of its own; `program` may be exchanged between operations."""

    def __init__(self, folder: Path, kubeconfig: str) -> None:
        self.program: Program = lambda _opts: None
        self.annotated = True
        self.shown: list[Event] = []
        record = StackRecord(
            backend=f"file://{folder / 'state'}", cluster=None, kubeconfig=kubeconfig, context=None
        )
        stack_dir = StackDir(NAME, folder / "stack")
        found = tools.ready(quiet)
        variables = environment.variables(
            stack_dir,
            backend=record.backend,
            path_entries=found.folders,
            kubeconfig=Path(kubeconfig),
            stack_file=None,
        )
        self.state = folder / "state"
        stack_dir.refresh(places.project() / "stacks" / "Pulumi.core.yaml")
        stack_dir.secure(state_exists=False)
        self.engine = Engine(
            NAME,
            self.shown.append,
            stack_dir=stack_dir,
            record=record,
            tools=found,
            environment=variables,
            program=self._run,
        )

    def up(self, *allow_replace: str) -> Result:
        """Up, whether or not the last one was asked for the same."""
        _forget_failures()
        return self.engine.up(allow_replace, given=Given(os.urandom(4).hex()))

    def changes(self) -> dict[str, int]:
        """What `up` would do."""
        _forget_failures()
        return dict(self.engine.preview().counts)

    def down(self) -> Result:
        return self.engine.destroy(ignore_protect=True)

    def state_text(self) -> str:
        """Everything that Pulumi stored, as it lies on the disk."""
        files = [f for f in self.state.rglob("*") if f.is_file()]
        return "\n".join(f.read_text(errors="replace") for f in files)

    def resources(self, kind: str = "") -> list[dict[str, Any]]:
        found = self.engine.exported()["deployment"].get("resources", [])
        return [each for each in found if each["type"].endswith(f":{kind}")] if kind else found

    def _run(self) -> None:
        if self.annotated:
            pulumi.runtime.register_resource_transform(annotated(NAME))
        provider = cluster_provider("test", context=None)
        self.program(ResourceOptions(provider=provider))


def _forget_failures() -> None:
    """The SDK keeps what a failed run never got an answer to; the product's process ends there."""
    SETTINGS.rpc_manager.clear()
    SETTINGS.outputs.clear()
    _CallbackServicer._servicers.clear()
