"""The AWS profile: its configuration is checked today, its resources come in a later release."""

from __future__ import annotations

from mlops_infra.config import StackConfig
from mlops_infra.errors import InputError


def build(config: StackConfig) -> None:
    """Refuse.

    Raises:
        InputError: always.
    """
    raise InputError(
        "the aws profile cannot be deployed in this release",
        where=f"profile of environment {config.environment}",
        hint="mlops-infra check validates it; deploy the onprem profile, for example -s sandbox",
    )
