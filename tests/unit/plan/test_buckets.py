"""Who holds which key of the object store, and what it opens."""

from __future__ import annotations

import json
import re

import pytest

from mlops_infra.plan.model.planned import Generated, Literal
from tests.unit.plan import plans

STACKS = ("core", "sandbox", "onprem-dev", "onprem-prod")
WITH_VERSITYGW = ("core", "sandbox", "onprem-dev")
STORES = {"versitygw", "seaweedfs"}
OBJECTS = re.compile(
    r"s3:(List(Bucket|BucketMultipartUploads|MultipartUploadParts)|GetBucketLocation"
    r"|(Get|Put|Delete)Object(Tagging)?|GetObjectAttributes|AbortMultipartUpload)"
)


@pytest.mark.parametrize("stack", STACKS)
def test_nobody_but_the_store_holds_its_root_key(stack: str) -> None:
    root = Generated("object-store-root")
    held = {
        (component.name, spec.namespace, spec.name)
        for component in plans.of_stack(stack).components
        for spec in component.secrets
        if root in spec.keys.values()
    }
    assert {(namespace, name) for _, namespace, name in held} <= {
        ("mlops-stores", "object-store-root")
    }
    assert {component for component, _, _ in held} <= STORES


@pytest.mark.parametrize("stack", WITH_VERSITYGW)
def test_policies_grant_objects_alone_and_a_tenant_its_own_bucket(stack: str) -> None:
    plan = plans.of_stack(stack)
    store = plan.component("versitygw")
    keys = {
        value.value
        for spec in store.secrets
        for key, value in spec.keys.items()
        if key == "accessKey" and isinstance(value, Literal)
    }
    tenants = {component.namespace for component in plan.components if component.tenant}
    assert {each["name"] for each in store.values["buckets"]} >= tenants
    for bucket in store.values["buckets"]:
        name = bucket["name"]
        for statement in json.loads(bucket["policy"])["Statement"]:
            assert statement["Effect"] == "Allow"
            accounts = set(statement["Principal"]["AWS"])
            assert accounts <= keys - {"mlops-infra"}
            assert accounts & tenants <= {name}
            if accounts != {"mlops-platform"}:
                assert all(OBJECTS.fullmatch(action) for action in statement["Action"])
            assert not any(
                "Bucket" in each
                for each in statement["Action"]
                if ":Get" not in each and ":List" not in each
            )
            for resource in statement["Resource"]:
                assert re.fullmatch(rf"arn:aws:s3:::{name}(/.*)?", resource)
            if "s3:PutObject" in statement["Action"]:
                assert "lifecycle" not in accounts
