"""The one Kubernetes provider of a stack; nothing may use a default one."""

from __future__ import annotations

from pathlib import Path

from pulumi_kubernetes.provider import Provider


def cluster_provider(
    identifier: str, *, kubeconfig: Path | str | None, context: str | None
) -> Provider:
    """The provider resource `cluster`.

    Args:
        identifier: what the cluster is to Pulumi. Only a change of this replaces everything; a
            kubeconfig that moved does not.
        kubeconfig: its path. The content would put client keys into the state.
        context: context in it; its current one where None.
    """
    return Provider(
        "cluster",
        cluster_identifier=identifier,
        kubeconfig=str(kubeconfig) if kubeconfig else None,
        context=context,
        # Charts roll their Pods by a checksum of their ConfigMaps: replacing the map as well would
        # take it away from running Pods for a moment.
        enable_config_map_mutable=True,
        suppress_deprecation_warnings=True,
    )
