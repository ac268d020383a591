"""What AWS refuses, and what a person reads of it."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlops_infra.aws import Cloud, Site
from mlops_infra.aws.actions import actions
from mlops_infra.aws.faults import NotThere, PermissionMissing, ServiceRefused, Throttled, of_answer
from mlops_infra.errors import MissingError, MlopsError

SITE = Site("ap-northeast-2", "111122223333")
CRAWLER = "arn:aws:glue:ap-northeast-2:111122223333:crawler/mlops-dev-orders"


def answer(code: str, message: str, *wanted: str) -> MlopsError:
    return of_answer({"Code": code, "Message": message}, SITE, wanted or ("glue:StopCrawler",))


def test_a_missing_permission_comes_with_the_statement_to_paste() -> None:
    error = answer(
        "AccessDeniedException",
        f"User: arn:aws:iam::111122223333:user/kim is not authorized to perform: glue:StopCrawler "
        f"on resource: {CRAWLER} because no identity-based policy allows the action",
    )
    assert isinstance(error, PermissionMissing)
    assert error.exit_code == 4
    assert error.hint is not None
    assert json.loads(error.hint.partition(": ")[2]) == {
        "Effect": "Allow",
        "Action": ["glue:StopCrawler"],
        "Resource": [CRAWLER],
    }
    assert error.as_dict()["statement"] == error.allow


def test_without_a_name_in_the_answer_the_call_itself_names_the_actions() -> None:
    error = answer("AccessDenied", "Access Denied", *actions("s3", "DeleteObjects"))
    assert isinstance(error, PermissionMissing)
    assert error.allow["Action"] == ["s3:DeleteObject", "s3:DeleteObjectVersion"]


def test_an_explicit_deny_is_not_answered_with_another_allow() -> None:
    error = answer(
        "AccessDeniedException",
        "User: x is not authorized to perform: sagemaker:CreateEndpoint on resource: "
        "arn:aws:sagemaker:::endpoint/a with an explicit deny in a service control policy",
    )
    assert error.hint is not None
    assert "service control policy" in error.hint
    assert "Effect" not in error.hint


@pytest.mark.parametrize("code", ["ExpiredToken", "ExpiredTokenException", "RequestExpired"])
def test_expired_credentials_say_so(code: str) -> None:
    error = answer(code, "The security token included in the request is expired")
    assert isinstance(error, MissingError)
    assert "have expired" in error.what
    assert "glue:StopCrawler" in error.what


def test_throttling_says_that_the_same_command_goes_on() -> None:
    error = answer("ThrottlingException", "Rate exceeded")
    assert isinstance(error, Throttled)
    assert error.hint is not None
    assert "continues" in error.hint


@pytest.mark.parametrize(
    ("code", "text"),
    [
        ("ValidationException", 'Could not find endpoint "arn:aws:x".'),
        ("ResourceNotFound", "x"),
        ("EntityNotFoundException", "Crawler not found"),
        ("NoSuchBucket", "x"),
    ],
)
def test_every_service_s_way_to_say_that_something_is_gone(code: str, text: str) -> None:
    assert isinstance(answer(code, text), NotThere)


def test_a_wrong_value_is_not_taken_for_something_gone() -> None:
    error = answer("ValidationException", "1 validation error detected: value at 'x' is too long")
    assert type(error) is ServiceRefused


@given(code=st.text(max_size=40), text=st.text(max_size=300))
def test_whatever_aws_answers_is_one_error_with_action_and_place(code: str, text: str) -> None:
    error = answer(code, text)
    assert error.where == str(SITE)
    assert str(error)


def test_no_credentials_is_one_error_with_the_next_step(
    monkeypatch: pytest.MonkeyPatch, tmp_path: object
) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", f"{tmp_path}/none")
    monkeypatch.setenv("AWS_CONFIG_FILE", f"{tmp_path}/none")
    with pytest.raises(MissingError, match="no AWS credentials") as raised:
        Cloud(SITE).identity()
    assert raised.value.hint is not None
    assert "AWS_PROFILE" in raised.value.hint


@pytest.mark.parametrize(
    ("url", "emulated"),
    [
        ("http://127.0.0.1:5556", True),
        ("http://localhost:1", True),
        ("https://vpce-1.sts.ap-northeast-2.vpce.amazonaws.com", False),
        (None, False),
    ],
)
def test_invented_credentials_are_for_this_machine_only(url: str | None, emulated: bool) -> None:
    assert Site("us-east-1", endpoint_url=url).emulated is emulated
