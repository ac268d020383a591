"""Turns what AWS answers into one clear error: what happened, where, and what to do about it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from mlops_infra.aws.actions import statement
from mlops_infra.aws.site import Site
from mlops_infra.errors import MissingError, MlopsError, OperationFailed

THROTTLED = frozenset(
    {
        "EC2ThrottledException",
        "PriorRequestNotComplete",
        "RequestLimitExceeded",
        "RequestThrottled",
        "RequestThrottledException",
        "SlowDown",
        "Throttling",
        "ThrottledException",
        "ThrottlingException",
        "TooManyRequestsException",
    }
)
EXPIRED = frozenset(
    {"ExpiredToken", "ExpiredTokenException", "RequestExpired", "TokenRefreshRequired"}
)
WRONG = frozenset(
    {
        "AuthFailure",
        "IncompleteSignature",
        "InvalidAccessKeyId",
        "InvalidClientTokenId",
        "InvalidSignatureException",
        "SignatureDoesNotMatch",
        "UnrecognizedClientException",
    }
)
DENIED = frozenset(
    {
        "AccessDenied",
        "AccessDeniedException",
        "AuthorizationError",
        "AuthorizationErrorException",
        "UnauthorizedOperation",
        "403",
    }
)
ABSENT = frozenset(
    {
        "404",
        "EntityNotFoundException",
        "NoSuchBucket",
        "NoSuchEntity",
        "NoSuchKey",
        "NoSuchUpload",
        "NotFound",
        "NotFoundException",
        "ObjectNotFoundException",
        "RepositoryNotFoundException",
        "ResourceNotFound",
        "ResourceNotFoundException",
    }
)
# SageMaker has no code of its own for most absent things.
_ABSENT_TEXT = re.compile(r"could not find|does not exist|not found|no such", re.IGNORECASE)
_DENIAL = re.compile(
    r"not authorized to perform: (?P<action>[\w-]+:\w+)(?: on resource: (?P<on>\S+))?"
)
_EXPLICIT = re.compile(r"with an explicit deny in an? (?P<by>[\w -]+?)(?:\s*:|$|\.)")


class ServiceRefused(OperationFailed):
    """AWS answered a call with an error that no retry mends."""

    def __init__(
        self, what: str, *, code: str, where: str | None = None, hint: str | None = None
    ) -> None:
        super().__init__(what, where=where, hint=hint)
        self.code = code


class NotThere(ServiceRefused):
    """The thing asked for does not exist."""


class Throttled(ServiceRefused):
    """AWS went on asking for patience until the retries were used up."""


class PermissionMissing(MissingError):
    """The credentials are good, and a policy does not let them do this."""

    def __init__(
        self, what: str, *, allow: Mapping[str, Any], where: str | None, hint: str | None
    ) -> None:
        super().__init__(what, where=where, hint=hint)
        self.allow = dict(allow)
        """The policy statement that is missing."""

    def as_dict(self) -> dict[str, object]:
        """The statement beside the common parts."""
        return {**super().as_dict(), "statement": self.allow}


@contextmanager
def told(site: Site, wanted: Sequence[str]) -> Iterator[None]:
    """Turn every error of botocore inside of the block into one of ours.

    Args:
        site: for the error's `where`.
        wanted: IAM actions that the call needs.

    Raises:
        PermissionMissing: with the statement that is missing.
        MissingError: no credentials, or expired or wrong ones.
        NotThere, Throttled, ServiceRefused: as the service says.
        OperationFailed: AWS cannot be reached.
    """
    from botocore import exceptions

    try:
        yield
    except exceptions.ClientError as error:
        raise of_answer(error.response.get("Error", {}), site, wanted) from error
    except (
        exceptions.NoCredentialsError,
        exceptions.PartialCredentialsError,
        exceptions.CredentialRetrievalError,
        exceptions.ProfileNotFound,
        exceptions.SSOError,
    ) as error:
        raise without_credentials(site, str(error)) from error
    except exceptions.BotoCoreError as error:
        raise OperationFailed(
            f"{wanted[0]}: AWS did not answer: {error}",
            where=str(site),
            hint="check the network and proxy (HTTPS_PROXY), then run the command again",
        ) from error


def of_answer(answer: Mapping[str, Any], site: Site, wanted: Sequence[str]) -> MlopsError:
    """The error for `answer`, the `Error` part of what the service sent."""
    code, text = str(answer.get("Code", "")), str(answer.get("Message", ""))
    if code in DENIED:
        return _denied(text, site, wanted)
    if code in EXPIRED:
        return MissingError(
            f"{wanted[0]}: the credentials have expired",
            where=str(site),
            hint="aws sso login (or renew them otherwise), then run the command again",
        )
    if code in WRONG:
        return MissingError(
            f"{wanted[0]}: AWS does not accept the credentials ({code})",
            where=str(site),
            hint="aws sts get-caller-identity shows who you are; a wrong clock also does this",
        )
    if code in THROTTLED:
        return Throttled(
            f"{wanted[0]}: AWS is throttling this account ({code}), and all retries are used up",
            code=code,
            where=str(site),
            hint="wait a minute, then run the command again: it continues",
        )
    kind = NotThere if _absent(code, text) else ServiceRefused
    return kind(f"{wanted[0]}: {code}: {text}", code=code, where=str(site))


def without_credentials(site: Site, why: str) -> MissingError:
    """The error where there is nobody to be."""
    return MissingError(
        f"no AWS credentials: {why}",
        where=str(site),
        hint="aws sso login, or set AWS_PROFILE or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY",
    )


def _absent(code: str, text: str) -> bool:
    return code in ABSENT or (
        code in ("ValidationException", "ValidationError") and bool(_ABSENT_TEXT.search(text))
    )


def _denied(text: str, site: Site, wanted: Sequence[str]) -> PermissionMissing:
    named = _DENIAL.search(text)
    on = named["on"].rstrip(".") if named and named["on"] else None
    allow = statement([named["action"]] if named else wanted, on)
    explicit = _EXPLICIT.search(text)
    hint = (
        f"a {explicit['by'].strip()} denies it, which overrides every Allow: ask its owner"
        if explicit
        else "add this statement to the deployer's policy: " + json.dumps(allow)
    )
    return PermissionMissing(
        f"the credentials may not {', '.join(allow['Action'])}" + (f" on {on}" if on else ""),
        allow=allow,
        where=str(site),
        hint=hint,
    )
