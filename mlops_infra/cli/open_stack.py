"""One stack for the time of a command: its file, plan, state and Secrets, each read once."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mlops_infra.errors import OperationFailed
from mlops_infra.progress import Sink

if TYPE_CHECKING:
    from mlops_infra.backup import StoreAccess
    from mlops_infra.config import StackConfig
    from mlops_infra.engine import Engine
    from mlops_infra.lifecycle.pipeline.submission.tenancy import Tenancy
    from mlops_infra.lifecycle.promotion.access import Access
    from mlops_infra.lifecycle.services.credentials import ClusterSecrets, Credentials
    from mlops_infra.lifecycle.services.endpoints import Platform
    from mlops_infra.lifecycle.triggers.client import TriggerClient
    from mlops_infra.plan import Plan


class OpenStack:
    """A stack by its name. Whatever is asked for is read then, and kept.

    Args:
        name: of the stack.
        file: its file, where that is not the default one.
        sink: takes the progress.
    """

    def __init__(self, name: str, file: Path | None, sink: Sink) -> None:
        self.name = name
        self._file = file
        self.sink = sink

    @cached_property
    def file(self) -> Path:
        """The stack's file."""
        from mlops_infra.config import stack_file

        return self._file or stack_file(self.name)

    @cached_property
    def config(self) -> StackConfig:
        """What the file asks for.

        Raises:
            ConfigError: with every mistake of the file.
        """
        from mlops_infra.config import load

        return load(self.file)

    @cached_property
    def plan(self) -> Plan:
        """What the configuration comes to, with the images of this machine."""
        from mlops_infra.engine import plan_of

        return plan_of(self.config, self.name)

    @cached_property
    def engine(self) -> Engine:
        """Reads the state.

        Raises:
            InputError: the stack was not brought up.
        """
        from mlops_infra.engine import open_engine

        return open_engine(self.name, self._file, self.sink)

    @cached_property
    def outputs(self) -> Mapping[str, Any]:
        """The platform contract as the state has it; empty where no `up` has ended well."""
        return self.engine.outputs()

    @cached_property
    def kubeconfig(self) -> tuple[Path | None, str | None]:
        """Kubeconfig and context; None for what Kubernetes clients find by themselves.

        Raises:
            OperationFailed: the stack's own cluster does not run.
        """
        wanted = self.config.cluster
        if wanted.embedded:
            from mlops_infra.cluster import EmbeddedCluster

            cluster = EmbeddedCluster(wanted.name or self.name)
            phase = cluster.status().phase
            if phase in ("absent", "stopped"):
                again = f"mlops-infra up -s {self.name}"
                start = f"mlops-infra cluster start {cluster.name}"
                raise OperationFailed(
                    f"cluster {cluster.name} is {phase}",
                    hint=start if phase == "stopped" else again,
                )
            return cluster.kubeconfig, None
        named = wanted.kubeconfig
        return (Path(named).expanduser() if named else None), wanted.context

    @cached_property
    def secrets(self) -> ClusterSecrets:
        """Reads Secrets of the cluster."""
        from mlops_infra.lifecycle.services.credentials import ClusterSecrets

        return ClusterSecrets(*self.kubeconfig)

    @cached_property
    def credentials(self) -> Credentials:
        """The passwords of the platform's services."""
        from mlops_infra.lifecycle.services.credentials import credentials

        return credentials(self.secrets)

    @cached_property
    def platform(self) -> Platform:
        """The addresses of the platform's services."""
        from mlops_infra.lifecycle.services.endpoints import from_outputs

        return from_outputs(self.name, self.outputs)

    def access(self, tenant: str) -> Access:
        """One tenant's clients to the platform."""
        from mlops_infra.lifecycle.promotion.access import from_outside
        from mlops_infra.lifecycle.services.kubernetes_objects import KubernetesCluster

        declared = self.config.tenants.get(tenant)
        cluster = KubernetesCluster(*self.kubeconfig)
        return from_outside(
            self.platform,
            self.credentials,
            self.secrets,
            cluster,
            tenant=tenant,
            bucket=declared.bucket if declared else None,
        )

    def tenancy(self, tenant: str, image: str | None = None) -> Tenancy:
        """Where the pipelines of one tenant run.

        Args:
            tenant: its name.
            image: of the steps, where it is not the stack's.
        """
        from mlops_infra.lifecycle.pipeline.submission import tenancy

        kubeconfig, context = self.kubeconfig
        return tenancy.of_stack(
            self.name,
            self.config,
            tenant,
            self.outputs,
            kubeconfig=kubeconfig,
            context=context,
            image=image,
        )

    def triggers(self) -> TriggerClient:
        """The client of the trigger controller."""
        from mlops_infra.lifecycle.triggers.client import TriggerClient

        kubeconfig, context = self.kubeconfig
        return TriggerClient(kubeconfig, context, self.secrets)

    def stores(self) -> StoreAccess:
        """What a backup or a restore needs of the stores."""
        from mlops_infra.backup import open_stores

        return open_stores(self.name, self.config, self.engine, self.sink)
