"""Names of things on AWS: legal for whatever prefix and stack the configuration allows."""

from __future__ import annotations

import re

from hypothesis import given
from hypothesis import strategies as st

from mlops_infra.plan.aws.names import LIMITS, AwsNames

LABEL = st.from_regex(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?", fullmatch=True)
PREFIX = st.from_regex(r"[a-z0-9]([-a-z0-9]{0,18}[a-z0-9])?", fullmatch=True)
KIND = st.sampled_from(sorted(LIMITS))
BUCKET = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")


def names(prefix: str, stack: str) -> AwsNames:
    return AwsNames(prefix, stack, "111122223333", "ap-northeast-2")


@given(PREFIX, LABEL, KIND, LABEL)
def test_no_name_is_longer_than_its_service_takes(
    prefix: str, stack: str, kind: str, what: str
) -> None:
    found = names(prefix, stack).of(kind, what)
    assert 0 < len(found) <= LIMITS[kind]
    assert found == names(prefix, stack).of(kind, what)


@given(PREFIX, LABEL, st.sampled_from(["raw", "curated", "features", "artifacts", "results"]))
def test_a_buckets_name_is_legal(prefix: str, stack: str, role: str) -> None:
    found = names(prefix, stack).of("bucket", role)
    assert BUCKET.fullmatch(found)
    assert names(prefix, stack).bucket_arn(role) == f"arn:aws:s3:::{found}"


@given(PREFIX, st.lists(LABEL, min_size=2, max_size=6, unique=True), KIND, LABEL)
def test_two_stacks_never_share_a_name(
    prefix: str, stacks: list[str], kind: str, what: str
) -> None:
    found = {names(prefix, stack).of(kind, what) for stack in stacks}
    assert len(found) == len(stacks)


def test_china_and_gov_have_their_own_partition() -> None:
    assert AwsNames("m", "s", "1" * 12, "cn-north-1").arn("kms", "key/x").startswith("arn:aws-cn:")
    assert AwsNames("m", "s", "1" * 12, "us-gov-west-1").partition == "aws-us-gov"
