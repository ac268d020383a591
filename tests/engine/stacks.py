"""A stack under the real engine with the stand-in provider, state in a folder of its own."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pulumi
from pulumi import automation as auto

from mlops_infra.kubeprovider import install
from tests.engine.control_plane import find_binary

Program = Callable[[pulumi.ResourceOptions], None]
PROJECT = "kubeprovider-test"


class Stack:
    """One stack; `program` may be exchanged between operations."""

    def __init__(self, folder: Path, kubeconfig: str) -> None:
        self.folder = folder
        self.kubeconfig = kubeconfig
        self.provider_options: dict[str, Any] = {}
        self.program: Program = lambda _opts: None
        self.events: list[Any] = []
        root = folder / "pulumi"
        (root / "bin").mkdir(parents=True, exist_ok=True)
        (folder / "state").mkdir(exist_ok=True)
        binary = find_binary("pulumi")
        assert binary is not None
        (root / "bin" / "pulumi").unlink(missing_ok=True)
        (root / "bin" / "pulumi").symlink_to(binary)
        install(folder / "plugins")
        self.environment = {
            "PATH": f"{folder / 'plugins'}{os.pathsep}{os.environ['PATH']}",
            "PULUMI_BACKEND_URL": f"file://{folder / 'state'}",
            "PULUMI_CONFIG_PASSPHRASE": "test",
            "PULUMI_HOME": str(folder / "home"),
            "PULUMI_SKIP_UPDATE_CHECK": "true",
            "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION": "true",
            "MLOPS_INFRA_HELM": str(find_binary("helm") or "helm"),
        }
        work = folder / "work"
        work.mkdir(exist_ok=True)
        options = auto.LocalWorkspaceOptions(
            work_dir=str(work),
            pulumi_home=str(folder / "home"),
            pulumi_command=auto.PulumiCommand(root=str(root)),
            env_vars=self.environment,
            project_settings=auto.ProjectSettings(name=PROJECT, runtime="python"),
        )
        self.stack = auto.create_or_select_stack(
            stack_name="test", project_name=PROJECT, program=self._run, opts=options
        )

    def up(self, **options: Any) -> auto.UpResult:
        return self._with_events(self.stack.up, **options)

    def preview(self, **options: Any) -> auto.PreviewResult:
        return self._with_events(self.stack.preview, **options)

    def refresh(self) -> auto.RefreshResult:
        return self._with_events(self.stack.refresh)

    def destroy(self, **options: Any) -> auto.DestroyResult:
        return self._with_events(self.stack.destroy, **options)

    def output(self) -> str:
        """All that the engine said in the last operation."""
        found = [e.diagnostic_event.message for e in self.events if e.diagnostic_event]
        return "\n".join(found)

    def state_text(self) -> str:
        """Everything that Pulumi stored, as it lies on the disk."""
        files = [f for f in (self.folder / "state").rglob("*") if f.is_file()]
        return "\n".join(f.read_text(errors="replace") for f in files)

    def resources(self) -> list[dict[str, Any]]:
        deployment = self.stack.export_stack().deployment
        found: list[dict[str, Any]] = json.loads(json.dumps(deployment)).get("resources", [])
        return found

    def children(self, kind: str) -> list[dict[str, Any]]:
        return [r for r in self.resources() if r["type"].endswith(f":{kind}")]

    def _run(self) -> None:
        from pulumi_kubernetes import Provider

        options = {"kubeconfig": self.kubeconfig, "cluster_identifier": "test"}
        provider = Provider("cluster", **{**options, **self.provider_options})
        self.program(pulumi.ResourceOptions(provider=provider))

    def _with_events(self, operation: Callable[..., Any], **options: Any) -> Any:
        self.events = []
        return operation(on_event=self.events.append, **options)
