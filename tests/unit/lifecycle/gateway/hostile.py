"""Requests as a careless or hostile client sends them, the same ones for the same seed."""

from __future__ import annotations

import gzip
import json
import struct
import zlib
from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random
from typing import Any

from tests.unit.lifecycle.gateway.in_process import PATH, request, typed

LENGTH = "inference-header-content-length"
TEXTS = (
    *("", "a", "x" * 300, "x" * 9000, "\0", "\ud83d", "\ud83d\ude00", "\n", "\N{BOM}"),
    *("\N{RIGHT-TO-LEFT OVERRIDE}", "요청", "../..", "%00", "'; DROP TABLE prediction", "NaN"),
    *("hour", "load", "kind", "inputs", "data", "binary_data_size", "binary_data_output", "id"),
)
NUMBERS = (
    *(0, 1, -1, 23, 24, 2**31, 2**63 - 1, 2**63, -(2**63) - 1, 2**64, 10**30, 10**400),
    *(0.5, -0.0, 1e-400, 1.7e308, float("nan"), float("inf"), float("-inf")),
)
WORDS = ("null", "true", "false", "[]", "{}", "[[]]", "[{}]", "[[1],2]", "[[1,2],[3]]")
DATATYPES = ("FP64", "FP32", "FP16", "INT64", "INT8", "UINT64", "BOOL", "BYTES", "INT7", "")
HEADERS = ("content-encoding", "accept-encoding", LENGTH, "x-request-key", "content-length")
PATHS = (
    *(PATH, PATH, PATH, "/demo/v2/models/wine", "/demo/v2/models/wine/ready", "/v2", "/demo/v2"),
    *("/demo/v2/models/wine/versions/1/infer", "/demo/v2/models/wine/versions/9/infer", "/", ""),
    *("/demo/v2/models", "/demo/v2/models/wine/observed?since=x", "/demo/predictions/x"),
    *("/demo/v2/models/wine/observed?since=0001-01-01T00:00:00%2B23:59", "/healthz", "/readyz"),
    *("/demo/v2/models/a\0b", "/\ud83d/v2/models/wine/infer", "/demo//infer", "/v2/health/live"),
)


@dataclass(frozen=True)
class Http:
    body: bytes | None
    path: str = PATH
    method: str = "POST"
    token: str | None = "secret"
    headers: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Grpc:
    method: str
    body: bytes
    metadata: tuple[tuple[str, str], ...] = ()


def made(random: Random) -> Http | Grpc:
    """One request."""
    return random.choice(_KINDS)(random)


def value(random: Random, depth: int = 3) -> Any:
    """Anything that JSON, or Python's idea of it, can write."""
    kind = random.randrange(5 if depth else 3)
    if kind == 0:
        return random.choice(TEXTS)
    if kind == 1:
        return random.choice(NUMBERS)
    if kind == 2:
        return json.loads(random.choice(WORDS))
    count = random.randrange(4)
    if kind == 3:
        return [value(random, depth - 1) for _ in range(count)]
    return {random.choice(TEXTS): value(random, depth - 1) for _ in range(count)}


def mutated(random: Random) -> dict[str, Any]:
    """A good request with some places changed."""
    document = request(random.choice((1, 1, 2, 5)))
    for _ in range(random.randrange(1, 4)):
        spots: list[tuple[Any, Any]] = []
        _walk(document, spots)
        if not spots:
            break
        held, key = random.choice(spots)
        if isinstance(held, list) or random.random() < 0.8:
            held[key] = random.choice(DATATYPES) if key == "datatype" else value(random)
        elif random.random() < 0.5:
            del held[key]
        else:
            held[random.choice(TEXTS)] = value(random)
    return document


def _walk(held: Any, spots: list[tuple[Any, Any]]) -> None:
    keys = list(held) if isinstance(held, dict) else range(len(held))
    for key in keys:
        spots.append((held, key))
        if isinstance(held[key], dict | list):
            _walk(held[key], spots)


def _changed(random: Random) -> Http:
    text = json.dumps(mutated(random), ensure_ascii=random.random() < 0.8)
    return Http(text.encode(errors="surrogatepass"))


def _bytes(random: Random) -> Http:
    """A good request with bytes changed, cut or repeated."""
    body = bytearray(json.dumps(request()).encode())
    for _ in range(random.randrange(1, 6)):
        at = random.randrange(len(body))
        if random.random() < 0.5:
            body[at] = random.randrange(256)
        else:
            body[at:at] = body[: random.randrange(9)]
    return Http(bytes(body[: random.randrange(len(body)) + 1] if random.random() < 0.3 else body))


def _binary(random: Random) -> Http:
    raw = [
        struct.pack("<q", random.choice((7, 99))),
        random.randbytes(8),
        struct.pack("<I", 1) + b"a",
    ]
    document = mutated(random) if random.random() < 0.5 else request()
    inputs = document.get("inputs")
    for each, content in zip(inputs if isinstance(inputs, list) else [], raw, strict=False):
        if isinstance(each, dict):
            each.pop("data", None)
            size = len(content) if random.random() < 0.8 else value(random)
            each["parameters"] = {"binary_data_size": size}
    document["parameters"] = {"binary_data_output": random.choice((True, True, value(random)))}
    head = json.dumps(document).encode()
    length = (
        str(len(head)) if random.random() < 0.9 else random.choice(("-1", "0", "9" * 30, "²", "x"))
    )
    return Http(head + b"".join(raw[: random.choice((3, 3, 3, 2))]), headers={LENGTH: length})


def _packed(random: Random) -> Http:
    body = json.dumps(request() if random.random() < 0.5 else mutated(random)).encode()
    packers: tuple[Callable[[bytes], bytes], ...] = (gzip.compress, zlib.compress, bytes)
    packed = bytearray(random.choice(packers)(body))
    if random.random() < 0.4:
        packed[random.randrange(len(packed))] ^= 1 << random.randrange(8)
    if random.random() < 0.05:
        packed = bytearray(gzip.compress(b" " * (1 << 20)))
    name = random.choice(("gzip", "deflate", "br", "identity", "gzip, gzip", "\0", ""))
    return Http(bytes(packed), headers={"content-encoding": name})


def _strange(random: Random) -> Http:
    method = random.choice(("GET", "POST", "PUT", "DELETE", "HEAD", "OPTIONS", "\0"))
    headers = {random.choice(HEADERS): random.choice(TEXTS) for _ in range(random.randrange(3))}
    body = random.choice((None, b"", b"{}", json.dumps(request()).encode(), random.randbytes(20)))
    token = random.choice(("secret", "secret", "wrong", "\ud83d", "", None))
    return Http(body, random.choice(PATHS), method, token, headers)


def _call(random: Random) -> Grpc:
    asked = typed()
    for _ in range(random.randrange(3)):
        text = random.choice(TEXTS).encode(errors="replace").decode()
        change = random.randrange(7)
        if change == 0:
            asked.id = text
        elif change == 1:
            asked.parameters[text].string_param = text
        elif change == 2:
            asked.inputs.add(
                name=text, datatype=random.choice(DATATYPES), shape=[random.randrange(-1, 3)]
            )
        elif change == 3:
            asked.raw_input_contents.extend(random.randbytes(8) for _ in range(random.randrange(5)))
        elif change == 4 and asked.inputs:
            random.choice(asked.inputs).shape[:] = [random.choice((0, 1, -1, 2**40))]
        elif change == 5:
            asked.outputs.add(name=text)
        else:
            asked.model_version = text
    return Grpc("ModelInfer", asked.SerializeToString())


def _message(random: Random) -> Grpc:
    body = bytearray(typed(id="mine").SerializeToString())
    for _ in range(random.randrange(1, 5)):
        body[random.randrange(len(body))] = random.randrange(256)
    method = random.choice(
        ("ModelInfer", "ModelInfer", "ModelReady", "ModelMetadata", "ServerLive")
    )
    return Grpc(method, bytes(body), (("x-request-key", random.choice(("k", "\0", "k" * 999))),))


_KINDS: tuple[Callable[[Random], Http | Grpc], ...] = (
    *(_changed, _changed, _changed, _bytes, _binary, _packed, _strange, _call, _message),
)
