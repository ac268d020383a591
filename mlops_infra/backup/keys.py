"""Copies the key-value store: the lineage index and the online features."""

from __future__ import annotations

import base64
import json
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mlops_infra import contract, files
from mlops_infra.backup.stores import StoreAccess
from mlops_infra.errors import FoundError, OperationFailed

if TYPE_CHECKING:
    import valkey

_SECONDS = 30.0
_TRIES = 3
_POD, _CONTAINER, _ACCOUNTS = "valkey-0", "server", "/run/valkey/users.acl"


def accounts(access: StoreAccess) -> list[str]:
    """The accounts of the running server, a line each, as `ACL LIST` writes them.

    Raises:
        OperationFailed: the store does not answer.
    """
    with _client(access) as client:
        told: Any = client.execute_command("ACL", "LIST")
    return [line.decode() for line in told]


def declared_accounts(access: StoreAccess) -> list[str]:
    """The accounts as the server's Pod wrote them when it started: digests, no passwords.

    Raises:
        OperationFailed: the Pod does not answer.
    """
    words = access.execute(_POD, _CONTAINER, "cat", _ACCOUNTS)
    for _ in range(_TRIES):
        try:
            done = subprocess.run(
                words, capture_output=True, text=True, check=True, timeout=_SECONDS
            )
        except subprocess.SubprocessError as error:
            why = str(getattr(error, "stderr", None) or error).strip()
            raise _unread(why[:200]) from error
        # A server has an account: on a busy machine kubectl may end well and print nothing.
        if lines := done.stdout.splitlines():
            return lines
    raise _unread("kubectl printed nothing")


def _unread(why: str) -> OperationFailed:
    return OperationFailed(
        f"the accounts of the key-value store cannot be read: {why}",
        where=f"Pod {contract.STORES_NAMESPACE}/{_POD}",
    )


def reload_accounts(access: StoreAccess) -> None:
    """Make the server forget what was changed since it started.

    Raises:
        OperationFailed: the store does not answer.
    """
    with _client(access) as client:
        client.execute_command("ACL", "LOAD")


def dump(access: StoreAccess, file: Path) -> int:
    """Write every key to `file`; how many.

    Raises:
        OperationFailed: the store does not answer.
    """
    lines = []
    with _client(access) as client:
        for key in sorted(set(client.scan_iter(count=1000))):
            # the key may end between two questions
            if (body := client.dump(key)) is not None:
                left = max(int(client.pttl(key)), 0)
                lines.append(json.dumps({"key": _text(key), "ttl": left, "dump": _text(body)}))
    files.write(file, "".join(f"{line}\n" for line in lines), mode=0o600)
    return len(lines)


def restore(access: StoreAccess, file: Path) -> int:
    """Make the store hold what `file` holds and nothing else; how many keys.

    Raises:
        FoundError: the file is damaged.
        OperationFailed: the store does not answer, or its version cannot read the dump.
    """
    wanted = list(_entries(file))
    with _client(access) as client:
        for key, left, body in wanted:
            client.restore(key, left, body, replace=True)
        alien = set(client.scan_iter(count=1000)) - {key for key, _, _ in wanted}
        if alien:
            client.delete(*alien)
    return len(wanted)


def _entries(file: Path) -> Iterator[tuple[bytes, int, bytes]]:
    with file.open(encoding="utf-8") as lines:
        for number, line in enumerate(lines, 1):
            try:
                read = json.loads(line)
                yield _bytes(read["key"]), int(read["ttl"]), _bytes(read["dump"])
            except (ValueError, KeyError, TypeError) as error:
                raise FoundError(
                    "the backup is damaged", [f"{file.name}, line {number}: {error}"]
                ) from error


@contextmanager
def _client(access: StoreAccess) -> Iterator[valkey.Valkey]:
    import valkey
    from valkey.exceptions import ValkeyError

    service = access.kv_service or ""
    with access.forward(service) as port:
        client = valkey.Valkey(
            host="127.0.0.1", port=port, password=access.kv_password, socket_timeout=_SECONDS
        )
        try:
            yield client
        except (ValkeyError, OSError) as error:
            raise OperationFailed(
                f"the key-value store did not answer: {error}",
                where=f"Service {contract.STORES_NAMESPACE}/{service}",
                hint=f"mlops-infra status -s {access.stack} shows its Pod",
            ) from error
        finally:
            client.close()


def _text(raw: Any) -> str:
    return base64.b64encode(raw).decode()


def _bytes(text: str) -> bytes:
    return base64.b64decode(text, validate=True)
