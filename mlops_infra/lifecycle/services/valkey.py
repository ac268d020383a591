"""The key-value store of the platform: Valkey or anything else that speaks its protocol."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, cast

from mlops_infra.errors import OperationFailed
from mlops_infra.lifecycle.services.reachability import listening

CONNECT_SECONDS, ANSWER_SECONDS = 5.0, 10.0

_WRITE_ONCE = """
local values, clashes = tonumber(ARGV[1]), {}
for i = 1, values do
  local held = redis.call('GET', KEYS[i])
  if held and held ~= ARGV[i + 1] then clashes[#clashes + 1] = KEYS[i] end
end
if #clashes > 0 then return clashes end
for i = 1, values do redis.call('SET', KEYS[i], ARGV[i + 1]) end
for i = values + 1, #KEYS do redis.call('SADD', KEYS[i], ARGV[i + 1]) end
return clashes
"""
_IF_HELD = "if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end "
_EXTEND = _IF_HELD + "redis.call('PEXPIRE', KEYS[1], ARGV[2]) return 1"
_RELEASE = _IF_HELD + "return redis.call('DEL', KEYS[1])"


class ValkeyStore:
    """A `lineage.index.KeyValue` over one connection."""

    def __init__(self, endpoint: str, password: str | None) -> None:
        import valkey

        self._endpoint = endpoint
        self._client = valkey.Valkey.from_url(
            client_url(endpoint),
            password=password,
            decode_responses=True,
            socket_connect_timeout=CONNECT_SECONDS,
            socket_timeout=ANSWER_SECONDS,
        )

    def ping(self) -> str:
        """The server's name and version."""
        listening("the key-value store", self._endpoint)
        with self._translate_errors("answer"):
            facts = cast("dict[str, object]", self._client.info("server"))
        if version := facts.get("valkey_version"):
            return f"valkey {version}"
        return f"redis {facts.get('redis_version', 'of unknown version')}"

    def get_many(self, keys: Sequence[str]) -> list[str | None]:
        """The values of `keys`, None for each that is absent."""
        with self._translate_errors("read"):
            return cast("list[str | None]", self._client.mget(list(keys)))

    def members(self, keys: Sequence[str]) -> list[frozenset[str]]:
        """The members of the sets at `keys`, empty for each that is absent."""
        with self._translate_errors("read"):
            pipeline = self._client.pipeline(transaction=False)
            for key in keys:
                pipeline.smembers(key)
            return [frozenset(found) for found in pipeline.execute()]

    def keys(self, pattern: str) -> list[str]:
        """Keys that match the glob `pattern`, sorted; walks the whole store in small steps."""
        with self._translate_errors("list"):
            return sorted(cast("Iterator[str]", self._client.scan_iter(match=pattern, count=500)))

    def set_all_if_absent(self, values: Mapping[str, str]) -> bool:
        """Write all in one step unless one of the keys exists; whether it wrote."""
        with self._translate_errors("write"):
            return bool(self._client.msetnx(dict(values)))

    def write_once(
        self, values: Mapping[str, str], members: Sequence[tuple[str, str]] = ()
    ) -> list[str]:
        """Write all values, and add all (set, member), in one step of the server.

        Returns:
            The keys that hold another value already; then nothing was written.
        """
        keys = [*values, *(key for key, _ in members)]
        words = [str(len(values)), *values.values(), *(member for _, member in members)]
        with self._translate_errors("write"):
            return cast("list[str]", self._eval(_WRITE_ONCE, keys, words))

    def put(self, values: Mapping[str, str], *, count: str | None = None) -> None:
        """Write all values in one step and add one to the counter `count`."""
        with self._translate_errors("write"):
            pipeline = self._client.pipeline(transaction=True)
            pipeline.mset(dict(values))
            if count is not None:
                pipeline.incr(count)
            pipeline.execute()

    def drop(self, keys: Sequence[str], *, count: str | None = None) -> None:
        """Delete `keys` in one step and add one to the counter `count`."""
        with self._translate_errors("delete"):
            pipeline = self._client.pipeline(transaction=True)
            pipeline.delete(*keys)
            if count is not None:
                pipeline.incr(count)
            pipeline.execute()

    def delete(self, keys: Sequence[str]) -> int:
        """Delete what exists of `keys`; how many did."""
        with self._translate_errors("delete"):
            return cast("int", self._client.delete(*keys))

    def claim(self, key: str, holder: str, *, seconds: float) -> str | None:
        """Take `key` for a while unless another holder has it; None, or who has it."""
        with self._translate_errors("write"):
            held = self._client.set(key, holder, nx=True, px=int(seconds * 1000), get=True)
        return None if held in (None, holder) else str(held)

    def extend(self, key: str, holder: str, *, seconds: float) -> bool:
        """Keep a claim for longer; False where it was lost."""
        with self._translate_errors("write"):
            return bool(self._eval(_EXTEND, [key], [holder, str(int(seconds * 1000))]))

    def release(self, key: str, holder: str) -> None:
        """Give a claim back, unless another holder has taken it meanwhile."""
        with self._translate_errors("write"):
            self._eval(_RELEASE, [key], [holder])

    def _eval(self, script: str, keys: Sequence[str], words: Sequence[str]) -> Any:
        return self._client.eval(script, len(keys), *keys, *words)

    @contextmanager
    def _translate_errors(self, what: str) -> Iterator[None]:
        from valkey.exceptions import ValkeyError

        try:
            yield
        except (ValkeyError, OSError) as error:
            raise OperationFailed(
                f"the key-value store did not {what}: {error}",
                where=self._endpoint,
                hint="mlops-infra status -s STACK shows its Pod",
            ) from error


def client_url(endpoint: str) -> str:
    """`endpoint` with the scheme that the client library knows; the protocol is the same."""
    return endpoint.replace("redis://", "valkey://", 1).replace("rediss://", "valkeys://", 1)
