"""What belongs to a stack on AWS: what its state records, and what its names and tags say. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from mlops_infra import contract
from mlops_infra.plan.aws.stateful import STATEFUL

BUCKETS = ("aws:s3/bucket:Bucket", "aws:s3/bucketV2:BucketV2")
CRAWLER = "aws:glue/crawler:Crawler"
DOMAIN = "aws:sagemaker/domain:Domain"
ENDPOINT = "aws:sagemaker/endpoint:Endpoint"
GLUE_JOB = "aws:glue/job:Job"
KEY = "aws:kms/key:Key"
KEY_ALIAS = "aws:kms/alias:Alias"
MODEL_GROUP = "aws:sagemaker/modelPackageGroup:ModelPackageGroup"
REPOSITORY = "aws:ecr/repository:Repository"
SECURITY_GROUP = "aws:ec2/securityGroup:SecurityGroup"
VPC = "aws:ec2/vpc:Vpc"


@dataclass(frozen=True, slots=True)
class Made:
    """One AWS resource of the state."""

    type: str
    urn: str
    id: str
    arn: str
    name: str
    """The service's name of it; the id where it has none."""
    protect: bool
    """Pulumi refuses to delete it."""
    retain: bool
    """Pulumi forgets it on deletion and leaves it where it is."""
    force: bool
    """`forceDestroy`: its configuration says that its contents may go with it."""
    bucket: str = ""
    """The bucket that this guards or configures, where it is a bucket's sidecar."""
    needs: tuple[str, ...] = ()
    """URNs of what it was made from: dependencies, parent and provider."""

    @property
    def kept(self) -> bool:
        """Whether the configuration says that it outlives the platform as it is.

        A protected database is not: it ends with a snapshot, and that is what stays.
        """
        known = STATEFUL.get(self.type)
        return self.retain or (self.protect and (known is None or known.remains == "itself"))

    def __str__(self) -> str:
        return f"{self.type.rpartition(':')[2]} {self.name}" + (
            f" ({self.arn})" if self.arn else ""
        )


@dataclass(frozen=True, slots=True)
class Scope:
    """A stack as a teardown sees it.

    Args:
        stack: its name, the value of the tag `mlops-infra:stack`.
        base: what the names of all its things begin with; no other stack's do.
        made: what the state records.
    """

    stack: str
    base: str
    made: tuple[Made, ...] = ()

    @classmethod
    def of(cls, stack: str, base: str, resources: Iterable[Mapping[str, Any]]) -> Scope:
        """From the resources of an exported state; those of other packages are left out."""
        ours = (each for each in resources if str(each.get("type", "")).startswith("aws:"))
        return cls(stack, base, tuple(_made(each) for each in ours))

    def of_type(self, *types: str) -> tuple[Made, ...]:
        """Resources of the given types."""
        return tuple(each for each in self.made if each.type in types)

    def ids(self, *types: str) -> tuple[str, ...]:
        """Ids of the resources of the given types."""
        return tuple(each.id for each in self.of_type(*types))

    def kept(self) -> tuple[Made, ...]:
        """What the configuration keeps."""
        return tuple(each for each in self.made if each.kept)

    def holding_data(self) -> Scope:
        """The same stack with everything that holds data kept, whatever its configuration says."""
        kept = tuple(
            replace(each, protect=True, force=False) if each.type in STATEFUL else each
            for each in self.made
        )
        return replace(self, made=kept)

    def with_needs(self, keep: Iterable[Made]) -> tuple[Made, ...]:
        """`keep` and all without which it would be lost or laid open.

        A bucket stays with its policy, encryption and access block, and with the key that its
        objects are encrypted by: without that key they are noise.
        """
        by_urn = {each.urn: each for each in self.made}
        found: dict[str, Made] = {}
        todo = list(keep)
        while todo:
            each = todo.pop()
            if each.urn in found:
                continue
            found[each.urn] = each
            todo += [by_urn[urn] for urn in each.needs if urn in by_urn]
            if each.type in BUCKETS:
                todo += [guard for guard in self.made if guard.bucket == each.id]
            if each.type == KEY:
                todo += [a for a in self.made if a.type == KEY_ALIAS and each.urn in a.needs]
        return tuple(each for each in self.made if each.urn in found)

    def named(self, name: str) -> bool:
        """Whether something of this name belongs to the stack.

        `mlops-dev` owns `mlops-dev-x` and `mlops-dev/x`, and not `mlops-develop-x`.
        """
        return name == self.base or name.startswith((f"{self.base}-", f"{self.base}/"))

    def tagged(self, tags: Iterable[Mapping[str, str]]) -> bool:
        """Whether a list of `{Key, Value}` holds the stack's tag."""
        return any(
            t.get("Key") == contract.STACK_TAG and t.get("Value") == self.stack for t in tags
        )


def _made(resource: Mapping[str, Any]) -> Made:
    outputs = resource.get("outputs") or {}
    inputs = resource.get("inputs") or {}
    identifier = str(resource.get("id") or "")
    return Made(
        type=str(resource["type"]),
        urn=str(resource.get("urn", "")),
        id=identifier,
        arn=str(outputs.get("arn") or ""),
        name=str(outputs.get("name") or outputs.get("bucket") or identifier),
        protect=bool(resource.get("protect")),
        retain=bool(resource.get("retainOnDelete")),
        force=bool(inputs.get("forceDestroy")),
        bucket=str(inputs.get("bucket") or "") if _is_sidecar(resource["type"]) else "",
        needs=_needs(resource),
    )


def _is_sidecar(type_token: str) -> bool:
    return type_token.startswith("aws:s3/bucket") and type_token not in BUCKETS


def _needs(resource: Mapping[str, Any]) -> tuple[str, ...]:
    named = [*(resource.get("dependencies") or ()), resource.get("parent")]
    provider = str(resource.get("provider") or "").rpartition("::")[
        0
    ]  # ends with the provider's id
    return tuple(dict.fromkeys(str(each) for each in (*named, provider) if each))
