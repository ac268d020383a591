"""The one place where clients of AWS are made, and the one way in which they are called."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from mlops_infra import __version__
from mlops_infra.aws.actions import actions
from mlops_infra.aws.faults import NotThere, told
from mlops_infra.aws.site import Site
from mlops_infra.errors import InputError

if TYPE_CHECKING:
    from boto3.session import Session

CONNECT_SECONDS, READ_SECONDS = 5, 60
ATTEMPTS = 8
"""In all, with growing pauses of up to 20 s: a teardown makes many calls in a row."""
ATTEMPTS_EMULATED = 3
"""An emulator answers a call that it lacks with 500, which is no reason to wait for long."""
CONNECTIONS = 32
"""At the same time and per service; the emptying of buckets uses them."""


class Cloud:
    """AWS as one account in one region sees it.

    Calls name the service and the method as boto3 does: ``cloud.call("glue", "stop_crawler",
    Name="orders")``. Thread-safe, as boto3's clients are.
    """

    def __init__(self, site: Site) -> None:
        self.site = site
        self._clients: dict[str, Any] = {}
        self._lock = threading.Lock()
        self._session: Session | None = None

    def call(self, service: str, method: str, /, **parameters: Any) -> dict[str, Any]:
        """One call with all its retries.

        Raises:
            MlopsError: see `mlops_infra.aws.faults.told`.
        """
        client = self._client(service)
        with told(self.site, self._actions(client, service, method)):
            answer: dict[str, Any] = getattr(client, method)(**parameters)
        return answer

    def find(self, service: str, method: str, /, **parameters: Any) -> dict[str, Any] | None:
        """As `call`; None where the thing does not exist."""
        try:
            return self.call(service, method, **parameters)
        except NotThere:
            return None

    def pages(self, service: str, method: str, key: str, /, **parameters: Any) -> Iterator[Any]:
        """Everything under `key` of every page; nothing where the thing does not exist."""
        client = self._client(service)
        wanted = self._actions(client, service, method)
        pages = iter(client.get_paginator(method).paginate(**parameters))
        while True:
            try:
                with told(self.site, wanted):
                    page = next(pages, None)
            except NotThere:
                return
            if page is None:
                return
            yield from page.get(key) or ()

    def identity(self) -> str:
        """The ARN that the credentials belong to; checks the account.

        Raises:
            InputError: they belong to another account than the stack's.
            MissingError: there are none, or they are not accepted.
        """
        told_by = self.call("sts", "get_caller_identity")
        if self.site.account and told_by["Account"] != self.site.account:
            raise InputError(
                f"the credentials belong to account {told_by['Account']}, "
                f"the stack belongs to {self.site.account}",
                where=str(self.site),
                hint="choose the account's credentials, for example with AWS_PROFILE",
            )
        return str(told_by["Arn"])

    def _actions(self, client: Any, service: str, method: str) -> tuple[str, ...]:
        return actions(service, client.meta.method_to_api_mapping[method])

    def _client(self, service: str) -> Any:
        with self._lock:
            if service not in self._clients:
                self._clients[service] = self._make(service)
            return self._clients[service]

    def _make(self, service: str) -> Any:
        from botocore.config import Config

        if self._session is None:
            with told(self.site, ("sts:AssumeRole",)):
                self._session = _session(self.site)
        attempts = ATTEMPTS_EMULATED if self.site.emulated else ATTEMPTS
        config = Config(
            connect_timeout=CONNECT_SECONDS,
            read_timeout=READ_SECONDS,
            max_pool_connections=CONNECTIONS,
            retries={"mode": "standard", "total_max_attempts": attempts},
            user_agent_extra=f"mlops-infra/{__version__}",
            s3={"addressing_style": "path" if self.site.endpoint_url else "auto"},
        )
        # boto3's own stubs name every service by a literal; here the name is data
        make: Any = self._session.client
        return make(service, endpoint_url=self.site.endpoint_url, config=config)


def _session(site: Site) -> Session:
    import boto3

    # an emulator wants some signature and looks at none
    nobody = "emulator" if site.emulated and "AWS_ACCESS_KEY_ID" not in os.environ else None
    session = boto3.session.Session(nobody, nobody, region_name=site.region)
    return _as_role(session, site) if site.role else session


def _as_role(session: Session, site: Site) -> Session:
    """`session` as the role of the stack, renewed by itself before it expires."""
    import functools

    import boto3
    import botocore.session
    from botocore.credentials import AssumeRoleCredentialFetcher, DeferredRefreshableCredentials

    inner: Any = session._session
    fetcher = AssumeRoleCredentialFetcher(
        client_creator=functools.partial(
            inner.create_client, region_name=site.region, endpoint_url=site.endpoint_url
        ),
        source_credentials=inner.get_credentials(),
        role_arn=str(site.role),
        extra_args={"RoleSessionName": "mlops-infra"},
    )
    fresh: Any = botocore.session.get_session()
    fresh._credentials = DeferredRefreshableCredentials(
        refresh_using=fetcher.fetch_credentials, method="assume-role"
    )
    return boto3.session.Session(botocore_session=fresh, region_name=site.region)
