"""CI/CD of the pipelines themselves, and promotion from account to account."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from mlops_infra.config.language.section import DnsLabel, Section

Repository = Annotated[str, Field(pattern=r"^[A-Za-z0-9_.-]{1,100}/[A-Za-z0-9_.-]{1,100}$")]
"""`owner/name`."""


class GitHub(Section):
    """GitHub Actions deploys by OpenID Connect: no key of AWS is kept at GitHub."""

    repository: Repository
    """The repository with access."""
    environments: Annotated[tuple[DnsLabel, ...], Field(max_length=10)] = ()
    """GitHub environments with access; they can require an approval."""
    branches: Annotated[
        tuple[Annotated[str, Field(pattern=r"^[A-Za-z0-9._/-]{1,200}$")], ...],
        Field(max_length=10),
    ] = ()
    """Branches with access. At least one environment or branch."""
    provider: (
        Annotated[str, Field(pattern=r"^arn:aws[a-z-]*:iam::[0-9]{12}:oidc-provider/\S+$")] | None
    ) = None
    """Existing identity provider of the account, which can have only one for GitHub."""


class CodePipelineConfig(Section):
    """AWS builds and delivers: source, test, approval by a person, deployment."""

    connection: Annotated[
        str,
        Field(
            pattern=r"^arn:aws[a-z-]*:(codestar-connections|codeconnections):[a-z0-9-]+:[0-9]{12}"
            r":connection/[0-9a-f-]{36}$"
        ),
    ]
    """A connection that was confirmed in the console."""
    repository: Repository
    """Branch to build."""
    branch: Annotated[str, Field(pattern=r"^[A-Za-z0-9._/-]{1,200}$")] = "main"
    """Which branch."""
    approval: bool = True
    """Require an approval before deployment."""


class Stage(Section):
    """A further account that the same pipeline delivers to, in the order of the file."""

    account: Annotated[str, Field(pattern=r"^[0-9]{12}$")]
    """The 12 digits, in quotes."""
    role: Annotated[str, Field(pattern=r"^arn:aws[a-z-]*:iam::[0-9]{12}:role/\S{1,512}$")]
    """Role that deploys there; it trusts this account and is `aws.role` of its stack file."""
    stack: DnsLabel
    """Stack that is deployed there."""
    approval: bool = True
    """Require an approval."""


class DeliveryConfig(Section):
    """Who may deliver, and where to."""

    github: GitHub | None = None
    """A role for GitHub Actions."""
    codepipeline: CodePipelineConfig | None = None
    """A pipeline of AWS."""
    stages: Annotated[dict[DnsLabel, Stage], Field(max_length=10)] = Field(default_factory=dict)
    """Accounts after this one, for example `stage` and `prod`."""
