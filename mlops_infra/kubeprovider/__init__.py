"""A stand-in for the official Pulumi Kubernetes provider, where that one is not to be had.

The engine room asks `choose` which of the two a run will use; everything else in this package runs
inside the plugin process that the Pulumi engine starts. Why it exists and where it differs from the
official provider: docs/decisions/0006-stand-in-kubernetes-provider.md.
"""

from mlops_infra.kubeprovider.install import (
    OFFICIAL_VERSION,
    ProviderChoice,
    choose,
    install,
    official_plugin,
)

__all__ = ["OFFICIAL_VERSION", "ProviderChoice", "choose", "install", "official_plugin"]
