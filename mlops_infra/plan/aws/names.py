"""Names and tags of all things on AWS: deterministic, within each service's limit, known before.

The teardown, the price table and the program must agree on them without asking AWS, so they are
here, in a pure room. Limits are those of the services' Create calls.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from mlops_infra import contract
from mlops_infra.config import StackConfig
from mlops_infra.naming import fitted

LIMITS: Mapping[str, int] = {
    "alarm": 255,
    "bucket": 63,
    "budget": 100,
    "cluster": 40,
    "codebuild": 150,
    "codepipeline": 100,
    "crawler": 255,
    "dashboard": 255,
    "database": 128,
    "endpoint": 63,
    "endpoint-config": 63,
    "feature-group": 63,
    "firehose": 64,
    "glue": 255,
    "instance-profile": 128,
    "key-alias": 250,
    "lambda": 64,
    "log-group": 512,
    "mlflow": 256,
    "model": 63,
    "model-group": 63,
    "monitor": 63,
    "mwaa": 80,
    "pipeline": 256,
    "policy": 128,
    "queue": 80,
    "quicksight": 255,
    "repository": 256,
    "role": 64,
    "rule": 64,
    "schedule": 64,
    "secret": 255,
    "security-group": 255,
    "sql": 63,
    "stream": 128,
    "topic": 256,
    "workgroup": 128,
}
"""Kind of name to the most characters that its service takes; other kinds have 63."""

_DEFAULT_LIMIT = 63


@dataclass(frozen=True, slots=True)
class AwsNames:
    """Names of one stack.

    Args:
        prefix: `aws.prefix`.
        stack: name of the stack; two stacks of one account never share a name.
        account: 12 digits.
        region: for example `ap-northeast-2`.
    """

    prefix: str
    stack: str
    account: str
    region: str

    @property
    def base(self) -> str:
        """What every name begins with."""
        return fitted(f"{self.prefix}-{self.stack}", 40)

    @property
    def partition(self) -> str:
        """Of ARNs: `aws`, `aws-cn` or `aws-us-gov`."""
        if self.region.startswith("cn-"):
            return "aws-cn"
        return "aws-us-gov" if self.region.startswith("us-gov-") else "aws"

    @property
    def dns_suffix(self) -> str:
        """Of host names: China has its own."""
        return "amazonaws.com.cn" if self.partition == "aws-cn" else "amazonaws.com"

    def of(self, kind: str, what: str) -> str:
        """The name of `what`, cut with a hash where its service would refuse the whole."""
        limit = LIMITS.get(kind, _DEFAULT_LIMIT)
        match kind:
            case "bucket":
                # the names of buckets are shared by all accounts of the world
                whole = f"{self.base}-{what}-{self.account}-{self.region}"
            case "log-group":
                whole = f"/{self.prefix}/{self.stack}/{what}"
            case "repository":
                whole = f"{self.base}/{what}"
            case "database":
                # Athena's names are lower case, digits and _
                whole = f"{self.base}_{what}".replace("-", "_")
            case "key-alias":
                whole = f"alias/{self.base}-{what}"
            case "database":
                # Athena takes a `-` only in quotes
                return fitted(f"{self.base}_{what}", limit).replace("-", "_")
            case _:
                whole = f"{self.base}-{what}"
        return fitted(whole, limit)

    def arn(self, service: str, resource: str, *, region: bool = True) -> str:
        """ARN of something of this account, for example `arn("sagemaker", "endpoint/demand")`."""
        where = self.region if region else ""
        return f"arn:{self.partition}:{service}:{where}:{self.account}:{resource}"

    def bucket_arn(self, what: str) -> str:
        """ARN of a bucket of the lake."""
        return f"arn:{self.partition}:s3:::{self.of('bucket', what)}"


def names_of(config: StackConfig, stack: str) -> AwsNames:
    """Names of `stack`; its configuration must have the section `aws`."""
    assert config.aws is not None  # noqa: S101 - a rule of the configuration: profile aws has it
    return AwsNames(config.aws.prefix, stack, config.aws.account, config.aws.region)


def tags_of(config: StackConfig, stack: str) -> dict[str, str]:
    """Tags of every resource of `stack`: the site's own and the kit's three, which win."""
    assert config.aws is not None  # noqa: S101 - a rule of the configuration: profile aws has it
    return {**config.aws.tags, **kit_tags(config, stack)}


def kit_tags(config: StackConfig, stack: str) -> dict[str, str]:
    """The kit's own tags alone."""
    return {
        contract.STACK_TAG: stack,
        contract.ENVIRONMENT_TAG: config.environment,
        contract.MANAGED_BY_TAG: contract.OWNER,
    }
