"""What a teardown must know about a stack when its configuration can no longer be read."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path

from mlops_infra import places
from mlops_infra.config import StackConfig
from mlops_infra.engine.environment import backend_url
from mlops_infra.engine.room import Room, write_private

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

    @classmethod
    def of(cls, config: StackConfig, stack: str) -> StackRecord:
        """From the configuration."""
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

    def write(self, room: Room) -> None:
        """Keep it in the stack's room."""
        places.private(room.folder)
        fresh = room.folder / f".{_FILE}"
        write_private(fresh, json.dumps(asdict(self), indent=2))
        fresh.replace(room.folder / _FILE)


def read(room: Room) -> StackRecord | None:
    """The record of the last run; None where there was none, or it cannot be read."""
    try:
        return StackRecord(**json.loads((room.folder / _FILE).read_text(encoding="utf-8")))
    except (FileNotFoundError, ValueError, TypeError):
        return None
