"""What a teardown on AWS takes for the stack's own, and what it keeps with what."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from mlops_infra.teardown.aws.scope import Scope

BUCKET, POLICY = "aws:s3/bucket:Bucket", "aws:s3/bucketPolicy:BucketPolicy"


def resource(type_token: str, name: str, *needs: str, **more: Any) -> dict[str, Any]:
    return {
        "type": type_token, "urn": f"urn::{name}", "id": name,
        "dependencies": [f"urn::{each}" for each in needs], **more,
    }  # fmt: skip


def scope(*resources: dict[str, Any]) -> Scope:
    return Scope.of("dev", "mlops-dev", resources)


def test_names_of_other_stacks_are_not_ours() -> None:
    ours = scope()
    assert ours.named("mlops-dev-raw")
    assert ours.named("mlops-dev/model")
    assert not ours.named("mlops-develop-raw")
    assert not ours.named("mlops-dev2-raw")


@given(st.text())
def test_nothing_is_ours_that_does_not_begin_with_our_base(name: str) -> None:
    assert not scope().named(name) or name.startswith("mlops-dev")


def test_a_kept_bucket_keeps_its_guards_its_key_and_the_key_s_alias() -> None:
    found = scope(
        resource("aws:kms/key:Key", "key"),
        resource("aws:kms/alias:Alias", "alias", "key"),
        resource(BUCKET, "raw", protect=True),
        resource(POLICY, "policy", "raw", inputs={"bucket": "raw"}),
        resource(
            "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration",
            "sse", "raw", "key", inputs={"bucket": "raw"},
        ),
        resource(BUCKET, "other"),
        resource(POLICY, "other-policy", "other", inputs={"bucket": "other"}),
    )  # fmt: skip
    kept = {each.id for each in found.with_needs(found.kept())}
    assert kept == {"key", "alias", "raw", "policy", "sse"}


def test_a_protected_database_ends_with_its_snapshot() -> None:
    found = scope(resource("aws:rds/instance:Instance", "sql", protect=True))
    assert found.kept() == ()


def test_keep_data_keeps_what_the_configuration_would_let_go() -> None:
    found = scope(resource(BUCKET, "raw", inputs={"forceDestroy": True})).holding_data()
    assert [each.id for each in found.kept()] == ["raw"]
    assert not found.made[0].force
