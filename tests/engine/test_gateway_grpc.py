"""The model gateway by gRPC: what HTTP promises holds there too."""

from __future__ import annotations

import json
import struct
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import grpc
import pytest

from mlops_infra.lifecycle.gateway.grpc.messages import SERVICE, messages
from tests.engine.gateway_site import Site

MINE = (("x-tenant", "demo"), ("authorization", "Bearer secret"))


class Client:
    """A client of the protocol; `call` gives the answer and its metadata."""

    def __init__(self, channel: grpc.Channel) -> None:
        self._channel = channel

    def call(self, method: str, asked: Any, metadata: Any = MINE) -> tuple[Any, dict[str, str]]:
        stub = self._channel.unary_unary(
            f"/{SERVICE}/{method}",
            request_serializer=lambda message: message.SerializeToString(),
            response_deserializer=messages()[f"{method}Response"].FromString,
        )
        answer, call = stub.with_call(asked, metadata=metadata, timeout=20)
        return answer, dict(call.initial_metadata())

    def refused(self, method: str, asked: Any, metadata: Any = MINE) -> grpc.RpcError:
        with pytest.raises(grpc.RpcError) as caught:
            self.call(method, asked, metadata)
        return caught.value


@pytest.fixture
def client(site: Site) -> Iterator[Client]:
    with grpc.insecure_channel(f"127.0.0.1:{site.grpc}") as channel:
        yield Client(channel)


def typed(hour: int = 7, load: float = 1.5, **more: Any) -> Any:
    asked = messages()["ModelInferRequest"](model_name="wine", **more)
    one = asked.inputs.add(name="hour", datatype="INT64", shape=[1])
    one.contents.int64_contents.append(hour)
    two = asked.inputs.add(name="load", datatype="FP64", shape=[1])
    two.contents.fp64_contents.append(load)
    return asked


def raw(hour: int = 7, load: float = 1.5) -> Any:
    asked = messages()["ModelInferRequest"](model_name="wine")
    asked.inputs.add(name="hour", datatype="INT64", shape=[1])
    asked.inputs.add(name="load", datatype="FP64", shape=[1])
    asked.raw_input_contents.extend([struct.pack("<q", hour), struct.pack("<d", load)])
    return asked


def test_an_answer_is_the_one_of_http_and_logged_like_it(site: Site, client: Client) -> None:
    site.serve()
    answer, metadata = client.call("ModelInfer", typed(id="mine"))
    assert (answer.model_name, answer.model_version, answer.id) == ("wine", "1", "mine")
    assert list(answer.outputs[0].contents.fp64_contents) == [8.5]
    assert metadata["x-model-role"] == "champion"
    (row,) = site.rows(metadata["x-prediction-id"])
    assert row["request"]["inputs"] == [
        {"name": "hour", "shape": [1], "datatype": "INT64", "data": [7]},
        {"name": "load", "shape": [1], "datatype": "FP64", "data": [1.5]},
    ]
    assert row["response"]["outputs"][0]["data"] == [8.5]
    answer, _ = client.call("ModelInfer", raw())
    assert struct.unpack("<d", answer.raw_output_contents[0]) == (8.5,)


def test_what_http_refuses_is_refused(site: Site, client: Client) -> None:
    site.serve()
    error = client.refused("ModelInfer", typed(hour=77))
    assert error.code() is grpc.StatusCode.INVALID_ARGUMENT
    assert "77 is above 23" in error.details()
    (told,) = [value for key, value in error.trailing_metadata() if key == "x-refused-fields-bin"]
    assert json.loads(told)[0]["field"] == "hour"
    for wrong, reason in (
        (typed(load=float("nan")), "it is missing"),
        (typed(load=float("inf")), "is not a number"),
        (messages()["ModelInferRequest"](model_name="wine"), "at least one input"),
    ):
        error = client.refused("ModelInfer", wrong)
        assert error.code() is grpc.StatusCode.INVALID_ARGUMENT
        assert reason in error.details()
    cut = raw()
    cut.raw_input_contents[0] = b"abc"
    assert "does not have 3 bytes" in client.refused("ModelInfer", cut).details()
    for metadata in ((), MINE[:1], (("x-tenant", "other"), MINE[1])):
        error = client.refused("ModelInfer", typed(), metadata)
        assert error.code() is grpc.StatusCode.UNAUTHENTICATED
    other = client.refused("ModelInfer", typed(model_version="2"))
    assert other.code() is grpc.StatusCode.NOT_FOUND
    none = messages()["ModelReadyRequest"](name="none")
    assert client.refused("ModelReady", none).code() is grpc.StatusCode.NOT_FOUND
    long = messages()["ModelInferRequest"](model_name="wine", raw_input_contents=[bytes(5000)])
    assert client.refused("ModelInfer", long).code() is grpc.StatusCode.RESOURCE_EXHAUSTED


def test_shadow_and_shares_are_those_of_http(site: Site, client: Client) -> None:
    site.serve(0.5)
    seen = {}
    for number in range(30):
        key = f"user-{number}"
        _, metadata = client.call("ModelInfer", typed(), (*MINE, ("x-request-key", key)))
        seen[key] = metadata["x-model-role"]
        assert site.ask(x_request_key=key).headers["x-model-role"] == seen[key]
    assert set(seen.values()) == {"champion", "challenger"}
    site.serve(0.0, shadow=True)
    _, metadata = client.call("ModelInfer", typed())
    rows = site.rows(metadata["x-prediction-id"], 2)
    assert {row["role"] for row in rows} == {"champion", "shadow"}


def test_it_tells_about_itself_and_its_models(site: Site, client: Client) -> None:
    site.serve()
    assert client.call("ServerLive", messages()["ServerLiveRequest"](), ())[0].live
    assert client.call("ServerReady", messages()["ServerReadyRequest"](), ())[0].ready
    assert client.call("ServerMetadata", messages()["ServerMetadataRequest"](), ())[0].version
    told, _ = client.call("ModelMetadata", messages()["ModelMetadataRequest"](name="wine"))
    assert [(each.name, each.datatype) for each in told.inputs] == [
        ("hour", "INT64"),
        ("load", "FP64"),
        ("word", "BYTES"),
    ]
    ready = messages()["ModelReadyRequest"](name="wine")
    assert client.call("ModelReady", ready)[0].ready
    site.control("1", fail=True)
    for _ in range(6):
        error = client.refused("ModelInfer", typed())
        assert error.code() in (grpc.StatusCode.INTERNAL, grpc.StatusCode.UNAVAILABLE)
    assert not client.call("ModelReady", ready)[0].ready


def test_both_doors_share_one_limit_and_close_together(site: Site, client: Client) -> None:
    site.control("1", delay=1.5)
    site.serve()
    with ThreadPoolExecutor(4) as pool:
        under_way = [pool.submit(client.call, "ModelInfer", typed()) for _ in range(4)]
        site.until_under_way("1", 4)
        site.process.terminate()
        assert [each.result()[0].outputs[0].contents.fp64_contents[0] for each in under_way] == [
            8.5
        ] * 4, "what was under way is answered"
    site.process.wait(30)
