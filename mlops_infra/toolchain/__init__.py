"""Finds, fetches or builds the binaries that run beside Python, at pinned versions.

The sources are asked in this order: PATH (for Pulumi's plugins its home), our cache, an offline
bundle, the official archive, the Go module. Nothing is written outside of `<cache>/toolchain` but
plugins, which go to Pulumi's home.
"""

from mlops_infra.toolchain.acquire import bin_dir, ensure, locate
from mlops_infra.toolchain.bundle import carries
from mlops_infra.toolchain.bundle import in_use as bundle_folder
from mlops_infra.toolchain.manifest import Pin, key, pin, pins
from mlops_infra.toolchain.pruning import prune
from mlops_infra.toolchain.report import Listed, listing
from mlops_infra.toolchain.store import Origin, Source, Tool


def version(name: str) -> str:
    """The pinned version of a tool, with its leading `v`.

    Raises:
        InputError: there is no such tool.
    """
    return pin(name).version


__all__ = [
    "Listed",
    "Origin",
    "Pin",
    "Source",
    "Tool",
    "bin_dir",
    "bundle_folder",
    "carries",
    "ensure",
    "key",
    "listing",
    "locate",
    "pin",
    "pins",
    "prune",
    "version",
]
