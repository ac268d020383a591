"""The key-value store of the platform: Valkey or anything else that speaks its protocol."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import cast

from mlops_infra.errors import OperationFailed
from mlops_infra.lifecycle.reach import listening

CONNECT_SECONDS, ANSWER_SECONDS = 5.0, 10.0


class ValkeyStore:
    """A `lineage.KeyValue` over one connection."""

    def __init__(self, endpoint: str, password: str | None) -> None:
        import valkey

        # The client knows its own scheme only; the protocol is the same.
        url = endpoint.replace("redis://", "valkey://", 1).replace("rediss://", "valkeys://", 1)
        self._endpoint = endpoint
        self._client = valkey.Valkey.from_url(
            url,
            password=password,
            decode_responses=True,
            socket_connect_timeout=CONNECT_SECONDS,
            socket_timeout=ANSWER_SECONDS,
        )

    def ping(self) -> str:
        """The server's name and version."""
        listening("the key-value store", self._endpoint)
        with self._told("answer"):
            facts = cast("dict[str, object]", self._client.info("server"))
        if version := facts.get("valkey_version"):
            return f"valkey {version}"
        return f"redis {facts.get('redis_version', 'of unknown version')}"

    def get_many(self, keys: Sequence[str]) -> list[str | None]:
        """The values of `keys`, None for each that is absent."""
        with self._told("read"):
            return cast("list[str | None]", self._client.mget(list(keys)))

    def set_all_if_absent(self, values: Mapping[str, str]) -> bool:
        """Write all in one step unless one of the keys exists; whether it wrote."""
        with self._told("write"):
            return bool(self._client.msetnx(dict(values)))

    def delete(self, keys: Sequence[str]) -> int:
        """Delete what exists of `keys`; how many did."""
        with self._told("delete"):
            return cast("int", self._client.delete(*keys))

    @contextmanager
    def _told(self, what: str) -> Iterator[None]:
        from valkey.exceptions import ValkeyError

        try:
            yield
        except (ValkeyError, OSError) as error:
            raise OperationFailed(
                f"the key-value store did not {what}: {error}",
                where=self._endpoint,
                hint="mlops-infra status shows its Pod",
            ) from error
