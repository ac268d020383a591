"""The deployer's policies."""

from __future__ import annotations

import json
import re

from mlops_infra.plan.aws.names import AwsNames
from mlops_infra.plan.aws.permissions import LARGEST, load_actions, policies

NAMES = AwsNames("mlops", "dev", "111122223333", "ap-northeast-2")
ALL = [f"aws:{each}" for each in load_actions() if not each.startswith(":")]


def test_no_action_is_a_wildcard_and_every_document_fits_into_iam() -> None:
    found = policies(ALL, NAMES)
    assert found.unknown == ()
    for document in found.documents:
        assert len(json.dumps(document, separators=(",", ":"))) <= LARGEST
        sids = [each["Sid"] for each in document["Statement"]]
        assert len(sids) == len(set(sids))
    assert all(re.fullmatch(r"[a-z0-9-]+:[A-Z][A-Za-z]+", each) for each in found.actions)


def test_roles_are_passed_to_named_services_and_are_the_stack_s_own() -> None:
    found = policies(["aws:glue/crawler:Crawler"], NAMES)
    passing = [
        each
        for document in found.documents
        for each in document["Statement"]
        if "iam:PassRole" in each["Action"]
    ]
    assert [each["Resource"] for each in passing] == [
        ["arn:aws:iam::111122223333:role/mlops-dev-*"]
    ]
    passed = passing[0]["Condition"]["StringEquals"]["iam:PassedToService"]
    assert "glue.amazonaws.com" in passed


def test_what_writes_is_held_to_the_stack_s_names() -> None:
    found = policies(["aws:s3/bucket:Bucket", "aws:sagemaker/endpoint:Endpoint"], NAMES)
    where = {
        action: each["Resource"]
        for document in found.documents
        for each in document["Statement"]
        for action in each["Action"]
    }
    assert where["s3:DeleteBucket"][0] == "arn:aws:s3:::mlops-dev-*"
    assert where["sagemaker:DeleteEndpoint"] == [
        "arn:aws:sagemaker:ap-northeast-2:111122223333:*/mlops-dev-*"
    ]


def test_a_type_without_a_row_is_named() -> None:
    assert policies(["aws:new/thing:Thing"], NAMES).unknown == ("aws:new/thing:Thing",)
