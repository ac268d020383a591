"""The embedded cluster: real Kubernetes in its own namespaces, or a simulated one without root.

Names are imported on first use: the supervisor, which runs as long as the cluster, imports this
package too and must stay small.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mlops_infra.cluster.embedded import EmbeddedCluster, existing
    from mlops_infra.cluster.status import ClusterStatus, NodeStatus

__all__ = ["ClusterStatus", "EmbeddedCluster", "NodeStatus", "existing"]

_HOMES = {
    "EmbeddedCluster": "embedded",
    "existing": "embedded",
    "ClusterStatus": "status",
    "NodeStatus": "status",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    import importlib

    return getattr(importlib.import_module(f"{__name__}.{_HOMES[name]}"), name)
