"""Which maker answers for a profile."""

from __future__ import annotations

from mlops_infra.cli.open_stack import OpenStack
from mlops_infra.cli.profile import ProfileCommands


def commands_of(opened: OpenStack) -> ProfileCommands:
    """The maker for the profile; its libraries are imported only then."""
    if opened.config.profile == "aws":
        from mlops_infra.cli.profile_aws import AwsCommands

        return AwsCommands(opened)
    from mlops_infra.cli.profile_onprem import OnPremCommands

    return OnPremCommands(opened)
