"""What a teardown must know about a stack when its configuration can no longer be read."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path

from mlops_infra import places
from mlops_infra.aws import Site
from mlops_infra.config import StackConfig
from mlops_infra.engine.environment import backend_url
from mlops_infra.engine.stack_dir import StackDir, write_private
from mlops_infra.plan.aws.names import names_of

_FILE = "stack.json"


@dataclass(frozen=True, slots=True)
class StackRecord:
    """The lasting facts of a deployed stack; holds no secret."""

    backend: str
    cluster: str | None
    """Name of the embedded cluster; None where the cluster is somebody else's."""
    kubeconfig: str | None
    context: str | None
    secrets_provider: str | None = None
    region: str | None = None
    """Of the aws profile, as the four below; None says that the stack is on-prem."""
    account: str | None = None
    role: str | None = None
    endpoint_url: str | None = None
    base: str | None = None
    """What every name of the stack begins with on AWS."""

    @property
    def site(self) -> Site | None:
        """Where on AWS the stack lives; None where it is on-prem."""
        if self.region is None:
            return None
        return Site(self.region, self.account, self.role, self.endpoint_url)

    @classmethod
    def of(cls, config: StackConfig, stack: str) -> StackRecord:
        """From the configuration."""
        if config.profile == "aws":
            return cls._of_aws(config, stack)
        cluster = (config.cluster.name or stack) if config.cluster.embedded else None
        own = config.cluster.kubeconfig
        path = places.data() / "clusters" / cluster / "kubeconfig" if cluster else None
        return cls(
            backend=backend_url(config.backend.url),
            cluster=cluster,
            kubeconfig=str(path or (Path(own).expanduser().absolute() if own else "")) or None,
            context=config.cluster.context,
            secrets_provider=config.backend.secrets_provider,
        )

    @classmethod
    def _of_aws(cls, config: StackConfig, stack: str) -> StackRecord:
        assert config.aws is not None  # noqa: S101 - a rule of the configuration: profile aws has it
        site = Site.of(config.aws)
        return cls(
            backend=backend_url(config.backend.url),
            cluster=None,
            kubeconfig=None,
            context=None,
            secrets_provider=config.backend.secrets_provider,
            region=site.region,
            account=site.account,
            role=site.role,
            endpoint_url=site.endpoint_url,
            base=names_of(config, stack).base,
        )

    def write(self, stack_dir: StackDir) -> None:
        """Keep it in the stack's folder."""
        places.private(stack_dir.folder)
        write_private(stack_dir.folder / _FILE, json.dumps(asdict(self), indent=2))


def read(stack_dir: StackDir) -> StackRecord | None:
    """The record of the last run; None where there was none, or it cannot be read."""
    try:
        return StackRecord(**json.loads((stack_dir.folder / _FILE).read_text(encoding="utf-8")))
    except (FileNotFoundError, ValueError, TypeError):
        return None
