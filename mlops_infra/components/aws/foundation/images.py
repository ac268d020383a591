"""References of the images that jobs and endpoints run, in the stack's own registry."""

from __future__ import annotations

from mlops_infra import __version__
from mlops_infra.components.aws.foundation.foundation import Foundation


def runtime_image(foundation: Foundation, use: str) -> str:
    """The runtime image of this release, as text known before it is pushed.

    Args:
        foundation: whose registry.
        use: `training` or `serving`: two repositories, so that their images can differ one day.
    """
    names = foundation.names
    host = f"{names.account}.dkr.ecr.{names.region}.{names.dns_suffix}"
    return f"{host}/{names.of('repository', use)}:{__version__}"
