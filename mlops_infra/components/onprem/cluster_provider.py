"""The one Kubernetes provider of a stack; nothing may use a default one."""

from __future__ import annotations

from pulumi_kubernetes.provider import Provider


def cluster_provider(identifier: str, *, context: str | None) -> Provider:
    """The provider resource `cluster`, for the cluster that `$KUBECONFIG` of its process leads to.

    The engine sets that variable where a stack has a kubeconfig of its own. Neither its content nor
    its path is given: the content would put client keys into the state, and the provider reads the
    file of a path as if it lay nowhere, so that relative paths in it lead astray.

    Args:
        identifier: what the cluster is to Pulumi. Only a change of this replaces everything; a
            kubeconfig that moved does not.
        context: context in it; its current one where None.
    """
    return Provider(
        "cluster",
        cluster_identifier=identifier,
        # not None: the SDK would put the variable's own text here, which may be a list of files
        kubeconfig="",
        context=context,
        # Charts roll their Pods by a checksum of their ConfigMaps: replacing the map as well would
        # take it away from running Pods for a moment.
        enable_config_map_mutable=True,
        suppress_deprecation_warnings=True,
    )
