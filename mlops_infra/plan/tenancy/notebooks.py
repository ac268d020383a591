"""Who gets a notebook: every member of a tenant that has some."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass

from mlops_infra import contract
from mlops_infra.config import StackConfig
from mlops_infra.naming import fitted
from mlops_infra.plan.model.planned import Generated, SecretSpec

MINUTE = 60
"""Seconds."""
_LONGEST = 40
"""Kubernetes names a Pod `notebook-<name>-0` and labels it with a hash: 63 characters in all."""


@dataclass(frozen=True, slots=True)
class Person:
    """A member of a tenant."""

    tenant: str
    member: str
    """As the site's login system writes them."""

    @property
    def name(self) -> str:
        """A DNS label: the member's own name where it is one, else what is left of it and a hash.

        `kim` stays `kim`; `Kim` and `kim@example.com` are other people, so they get other names.
        """
        plain = re.sub(r"[^a-z0-9]+", "-", self.member.lower()).strip("-")
        if plain != self.member:
            plain = f"{plain}-{hashlib.sha256(self.member.encode()).hexdigest()[:6]}"
        return fitted(plain, _LONGEST)

    @property
    def namespace(self) -> str:
        """The tenant's."""
        return contract.tenant_namespace(self.tenant)

    @property
    def secret(self) -> str:
        """Secret with the key `token`, in the tenant's namespace."""
        return f"notebook-{self.name}"

    @property
    def path(self) -> str:
        """Where the notebook is, below the address of all notebooks."""
        return f"/notebook/{self.tenant}/{self.name}/"


def entries(config: StackConfig) -> list[dict[str, str]]:
    """`people` as values of the charts of both engines."""
    return [
        {
            "tenant": person.tenant,
            "namespace": person.namespace,
            "name": person.name,
            "secret": person.secret,
        }
        for person in people(config)
    ]


def people(config: StackConfig) -> Iterator[Person]:
    """Everybody with a notebook, tenants and members in the order of their names."""
    if config.components.notebooks.state != "managed":
        return
    for tenant, wanted in sorted(config.tenants.items()):
        if wanted.notebooks:
            yield from (Person(tenant, member) for member in sorted(set(wanted.members)))


def tokens(tenant: str, config: StackConfig) -> tuple[SecretSpec, ...]:
    """The Secrets that open the notebooks of one tenant, a token for each person."""
    return tuple(
        SecretSpec(
            each.secret, each.namespace, {"token": Generated(f"notebook-{tenant}-{each.name}")}
        )
        for each in people(config)
        if each.tenant == tenant
    )
