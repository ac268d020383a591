"""The doors of the key-value store."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import valkey
from valkey.exceptions import NoPermissionError

from mlops_infra.lifecycle.services.valkey import client_url

OWN: Mapping[str, tuple[str, ...]] = {
    "read lineage": ("GET", "mlops-infra:lineage:doors"),
    "write lineage": ("SET", "mlops-infra:lineage:doors", "x", "EX", "60"),
    "read the route": ("GET", "mlops-infra:route:{tenant}/doors"),
    "write the route": ("SET", "mlops-infra:route:{tenant}/doors", "x", "EX", "60"),
    "tell gateways of a new route": ("INCR", "mlops-infra:routes-revision"),
    "hold a rollout": ("SET", "mlops-infra:lease:rollout:{tenant}/doors", "x", "EX", "60"),
    "run a script": ("EVAL", "return redis.call('GET', KEYS[1])", "1", "mlops-infra:lineage:doors"),
    "tell the server's version": ("INFO", "server"),
}
"""What must work; {tenant} is the account's tenant."""
REFUSED: Mapping[str, tuple[str, ...]] = {
    "read another's route": ("GET", "mlops-infra:route:{other}/doors"),
    "write another's route": ("SET", "mlops-infra:route:{other}/doors", "x"),
    "read another's route by a script": (
        "EVAL",
        "return redis.call('GET', KEYS[1])",
        "1",
        "mlops-infra:route:{other}/doors",
    ),
    "copy into another's route": (
        "COPY",
        "mlops-infra:route:{tenant}/doors",
        "mlops-infra:route:{other}/doors",
    ),
    "set the counter of routes": ("SET", "mlops-infra:routes-revision", "x"),
    "delete the counter of routes": ("DEL", "mlops-infra:routes-revision"),
    "list names": ("SCAN", "0"),
    "list names at once": ("KEYS", "*"),
    "list names by a script": ("EVAL", "return redis.call('SCAN', 0)", "0"),
    "be told names": ("CLIENT", "TRACKING", "ON", "BCAST", "PREFIX", "mlops-infra:"),
    "draw a name": ("RANDOMKEY",),
    "watch everybody": ("MONITOR",),
    "empty the store": ("FLUSHALL",),
    "change accounts": ("ACL", "SETUSER", "doors", "on"),
    "list accounts": ("ACL", "LIST"),
    "change settings": ("CONFIG", "SET", "maxmemory", "1"),
    "stop the server": ("SHUTDOWN", "NOSAVE"),
    "end others' connections": ("CLIENT", "KILL", "TYPE", "normal"),
    "end others' scripts": ("SCRIPT", "KILL"),
    "take others' functions away": ("FUNCTION", "FLUSH"),
    "listen to others": ("SUBSCRIBE", "doors"),
}


@dataclass(frozen=True)
class Account:
    """One tenant's."""

    tenant: str
    name: str
    password: str


def walk(endpoint: str, accounts: list[Account]) -> list[str]:
    """What is open and should not be, or closed and should not be."""
    found = []
    for account in accounts:
        other = next(each.tenant for each in accounts if each is not account)
        names = {"tenant": account.tenant, "other": other}
        for what, words in OWN.items():
            if not _opens(endpoint, account, words, names):
                found.append(f"{account.tenant} may not {what}")
        for what, words in REFUSED.items():
            if _opens(endpoint, account, words, names):
                found.append(f"{account.tenant} may {what}")
    return found


def _opens(
    endpoint: str, account: Account, words: tuple[str, ...], names: Mapping[str, str]
) -> bool:
    # a connection for each: some commands change what it is good for
    client: Any = valkey.Valkey.from_url(
        client_url(endpoint), username=account.name, password=account.password, protocol=3
    )
    with client:
        try:
            client.execute_command(*(word.format(**names) for word in words))
        except NoPermissionError:
            return False
        except valkey.exceptions.ResponseError as error:
            # of a script: the refusal is told in its own error
            if "permission" in str(error).lower() or "NOPERM" in str(error):
                return False
            raise
    return True
