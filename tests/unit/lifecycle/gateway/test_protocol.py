"""The Open Inference Protocol as foreign clients speak it, and what costs nobody else an answer."""

from __future__ import annotations

import gzip
import json
import struct
import zlib
from pathlib import Path
from typing import Any

import pytest

from mlops_infra.lifecycle.gateway.core.breaker import FAILURES
from mlops_infra.lifecycle.gateway.grpc.messages import messages
from tests.unit.lifecycle.gateway.in_process import (
    BODY_BYTES,
    PATH,
    InProcess,
    in_process,
    request,
    run,
    target,
    typed,
)

MODEL = "/demo/v2/models/wine"
LENGTH = "inference-header-content-length"


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> InProcess:
    return in_process(tmp_path, monkeypatch)


def binary(hour: int = 7, load: float = 1.5, **more: Any) -> tuple[bytes, dict[str, str]]:
    """A request as stock clients send it by default: all tensors raw, all outputs wanted so."""
    raw = [struct.pack("<q", hour), struct.pack("<d", load), struct.pack("<I", 1) + b"a"]
    inputs = request()["inputs"]
    for each, content in zip(inputs, raw, strict=True):
        del each["data"]
        each["parameters"] = {"binary_data_size": len(content)}
    document = {"inputs": inputs, "parameters": {"binary_data_output": True}, **more}
    head = json.dumps(document).encode()
    return head + b"".join(raw), {LENGTH: str(len(head))}


def test_binary_tensors_go_both_ways_and_the_server_sees_plain_json(site: InProcess) -> None:
    body, headers = binary()
    answer = run(site.ask(body, headers=headers))
    assert answer.status == 200
    size = int(answer.headers[LENGTH])
    outputs = json.loads(answer.body[:size])["outputs"]
    assert [each["parameters"]["binary_data_size"] for each in outputs] == [8, 5]
    assert struct.unpack("<dI1s", answer.body[size:]) == (1.5, 1, b"a")
    asked = json.loads(site.models.asked[-1][1])
    assert asked == {"inputs": request()["inputs"]}, "no word of the extension"


def test_outputs_are_chosen_by_name_and_an_unknown_one_is_refused(site: InProcess) -> None:
    chosen = request(outputs=[{"name": "z", "parameters": {"binary_data": False}}, {"name": "y"}])
    answer = run(site.ask(chosen))
    assert [each["name"] for each in answer.document["outputs"]] == ["z", "y"]
    body, headers = binary(
        outputs=[{"name": "y"}, {"name": "z", "parameters": {"binary_data": False}}]
    )
    mixed = run(site.ask(body, headers=headers))
    assert mixed.body.endswith(struct.pack("<d", 1.5))
    unknown = run(site.ask(request(outputs=[{"name": "nosuch"}])))
    assert (unknown.status, "has no output 'nosuch'" in unknown.document["error"]) == (400, True)
    asked = typed()
    asked.outputs.add(name="nosuch")
    _, context = run(site.call("ModelInfer", asked.SerializeToString()))
    assert context.code.name == "INVALID_ARGUMENT"


def test_what_is_wrong_with_binary_data_is_refused(site: InProcess) -> None:
    body, headers = binary()
    for wrong, told in (
        ((body[:-1], headers), "the body has 4 bytes"),
        ((body + b"x", headers), "belong to no input"),
        ((body, {LENGTH: "99999"}), "does not fit"),
        ((body, {LENGTH: "-1"}), "does not fit"),
        ((body, {}), "not valid JSON"),
        ((b'{"inputs":[]}', {LENGTH: "13"}), "at least one input"),
    ):
        answer = run(site.ask(wrong[0], headers=wrong[1]))
        assert (answer.status, told in answer.document["error"]) == (400, True), answer.body
    assert run(site.ask(*binary(hour=77)[:1], headers=binary(hour=77)[1])).status == 400
    lost, headers = binary(load=float("nan"))
    told = run(site.ask(lost, headers=headers)).document["error"]
    assert told == "load (row 0): it is missing", "NaN is none"
    assert not site.models.asked


@pytest.mark.parametrize(
    ("name", "pack"),
    [
        ("gzip", gzip.compress),
        ("deflate", zlib.compress),
        ("deflate", lambda body: zlib.compress(body)[2:-4]),
        ("gzip", lambda body: gzip.compress(body[:9]) + gzip.compress(body[9:])),
    ],
)
def test_compressed_bodies_are_unpacked(site: InProcess, name: str, pack: Any) -> None:
    body = json.dumps(request(id="mine")).encode()
    answer = run(site.ask(pack(body), headers={"content-encoding": name}))
    assert (answer.status, answer.document["id"]) == (200, "mine")


def test_what_cannot_be_unpacked_costs_a_4xx(site: InProcess) -> None:
    body = json.dumps(request()).encode()
    bomb = gzip.compress(b" " * (BODY_BYTES * 50))
    for content, name, status in (
        (body, "gzip", 400),
        (gzip.compress(body)[:-9], "gzip", 400),
        (zlib.compress(body) + b"x", "deflate", 400),
        (body, "br", 415),
        (body, "gzip, gzip", 415),
        (bomb, "gzip", 413),
    ):
        answer = run(site.ask(content, headers={"content-encoding": name}))
        assert answer.status == status, answer.body
        assert answer.document["error"]


def test_a_long_answer_is_compressed_where_the_client_takes_it(site: InProcess) -> None:
    many = request(500)
    plain = run(site.ask(many))
    for accepted, unpack in (("gzip, deflate", gzip.decompress), ("deflate", zlib.decompress)):
        answer = run(site.ask(many, headers={"accept-encoding": accepted}))
        assert len(unpack(answer.body)) == len(plain.body)
    for accepted in ("br", "gzip;q=0", "identity"):
        assert (
            "content-encoding"
            not in run(site.ask(many, headers={"accept-encoding": accepted})).headers
        )


def test_it_tells_what_generic_clients_ask_before_they_infer(site: InProcess) -> None:
    for path in ("/v2/health/live", "/v2/health/ready", "/demo/v2/health/live", "/demo/v2"):
        assert run(site.ask(path=path, token=None)).status == 200
    about = run(site.ask(path="/v2")).document
    assert about["extensions"] == ["binary_tensor_data"]
    assert run(site.ask(path=MODEL)).document["outputs"] == [], "nobody has asked it yet"
    assert run(site.ask(request())).status == 200
    for path in (MODEL, f"{MODEL}/versions/1"):
        told = run(site.ask(path=path)).document
        assert told["versions"] == ["1"]
        assert [(i["name"], i["datatype"], i["shape"]) for i in told["inputs"]] == [
            ("hour", "INT64", [-1, 1]),
            ("load", "FP64", [-1, 1]),
            ("kind", "BYTES", [-1, 1]),
        ]
        assert told["outputs"] == [
            {"name": "y", "datatype": "FP64", "shape": [-1]},
            {"name": "z", "datatype": "BYTES", "shape": [-1, 1]},
        ]
    metadata, _ = run(
        site.call(
            "ModelMetadata", messages()["ModelMetadataRequest"](name="wine").SerializeToString()
        )
    )
    assert [each.name for each in metadata.outputs] == ["y", "z"]


def test_a_version_in_the_path_is_the_one_that_answers(site: InProcess) -> None:
    site.serve(challenger=target("2"), share=0.0)
    for version in ("1", "2"):
        answer = run(site.ask(request(), f"{MODEL}/versions/{version}/infer"))
        assert (answer.status, answer.headers["x-model-version"]) == (200, version)
        assert run(site.ask(path=f"{MODEL}/versions/{version}/ready")).status == 200
        _, context = run(site.call("ModelInfer", typed(model_version=version).SerializeToString()))
        assert context.initial["x-model-version"] == version
    missing = run(site.ask(request(), f"{MODEL}/versions/3/infer"))
    assert (missing.status, "it serves 1, 2" in missing.document["error"]) == (404, True)
    _, context = run(site.call("ModelInfer", typed(model_version="3").SerializeToString()))
    assert context.code.name == "NOT_FOUND"


def test_a_first_version_on_trial_answers_by_its_name_alone(site: InProcess) -> None:
    site.serve(trial=True)
    assert run(site.ask(request())).status == 503
    assert run(site.ask(path=f"{MODEL}/ready")).status == 503
    _, context = run(site.call("ModelInfer", typed().SerializeToString()))
    assert context.code.name == "UNAVAILABLE"
    assert run(site.ask(request(), f"{MODEL}/versions/1/infer")).status == 200


@pytest.mark.parametrize(
    ("path", "method", "status"),
    [
        ("/nosuch", "GET", 404),
        (f"{MODEL}/nosuch", "GET", 404),
        (f"{MODEL}/infer", "GET", 405),
        (f"{MODEL}/infer/", "POST", 404),
        ("/demo/v2/models/no\N{RIGHT-TO-LEFT OVERRIDE}", "GET", 404),
    ],
)
def test_every_error_is_one_of_the_protocol(
    site: InProcess, path: str, method: str, status: int
) -> None:
    answer = run(site.ask(path=path, method=method))
    assert (answer.status, list(answer.document)) == (status, ["error"])
    assert answer.document["error"].isprintable()


TEXTS = {
    "NUL": "a\0b",
    "a mark of direction": "a\N{RIGHT-TO-LEFT OVERRIDE}b",
    "a text without end": "x" * (15 << 10),
    "half a surrogate pair": "\ud83d",
    "a line break": "a\nb",
}


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS)
def test_a_clients_own_texts_do_not_travel_unchecked(site: InProcess, text: str) -> None:
    wrong = [
        request(id=text),
        request(parameters={text: 1}),
        request(outputs=[{"name": text}]),
        request(**{text: 1}),
        {"inputs": [*request()["inputs"], {**request()["inputs"][0], "name": text}]},
        {"inputs": [{**each, "parameters": {"x": {text: 1}}} for each in request()["inputs"]]},
    ]
    if text != TEXTS["a line break"]:  # a parameter may have lines
        wrong.append(request(parameters={"x": [text]}))
    for document in wrong:
        answer = run(site.ask(document))
        assert answer.status == 400
        assert answer.document["error"].isprintable()
        assert len(answer.body) < 4000
    if text != TEXTS["half a surrogate pair"]:  # which UTF-8 has no bytes for
        key = run(site.ask(request(), headers={"x-request-key": text}))
        assert key.status == 400
        _, context = run(site.call("ModelInfer", typed(id=text).SerializeToString()))
        assert context.code.name == "INVALID_ARGUMENT"
    assert not site.models.asked


def test_an_id_in_the_clients_language_comes_back_and_stays_out_of_the_servers_headers(
    site: InProcess,
) -> None:
    answer = run(site.ask(request(id="요청-1")))
    assert (answer.status, answer.document["id"]) == (200, "요청-1")
    assert "id" not in json.loads(site.models.asked[-1][1])
    assert run(site.ask(request(), headers={"x-request-key": "사용자"})).status == 200


@pytest.mark.parametrize(
    "wrong",
    [
        b'{"inputs":[],"inputs":[]}',
        b"\xff\xfe{\0}\0",
        b"\xef\xbb\xbf{}",
        json.dumps(request()).encode("utf-16"),
        json.dumps(request()).replace("1.5", "1e999").encode(),
        json.dumps(request()).replace("1.5", "1" * 5000).encode(),
        json.dumps(request()).replace("1.5", "1" * 400).encode(),
        json.dumps(request(id=5)).encode(),
        json.dumps(request(outputs="y")).encode(),
        json.dumps(request(parameters={"x": 10**30})).encode(),
        json.dumps(request(parameters=[])).encode(),
        json.dumps(request()).replace("[1]", "[0]").encode(),
        json.dumps(request()).replace("[1]", "[1, 0]").encode(),
        json.dumps(request()).replace("[7]", "[[7], 7]").encode(),
        json.dumps(request()).replace("[7]", f"[{2**63}]").encode(),
    ],
)
def test_what_servers_stumble_over_does_not_reach_them(site: InProcess, wrong: bytes) -> None:
    answer = run(site.ask(wrong))
    assert answer.status == 400, answer.body
    assert answer.document["error"].isprintable()
    assert not site.models.asked


def test_requests_that_a_server_chokes_on_do_not_switch_it_off_for_others(site: InProcess) -> None:
    async def choking(url: str, body: bytes) -> tuple[int, bytes]:
        return (500, b'{"error":"unknown category"}') if b'"zz"' in body else await good(url, body)

    good, site.models.once = site.models.once, choking  # type: ignore[method-assign]
    bad = json.dumps(request()).replace('"a"', '"zz"').encode()
    assert {run(site.ask(bad)).status for _ in range(4 * FAILURES)} == {502}
    assert run(site.ask(request())).status == 200


def test_a_server_that_fails_with_everything_is_left_alone(site: InProcess) -> None:
    assert run(site.ask(request())).status == 200
    site.models.failing.add("wine-1")
    statuses = [run(site.ask(request())).status for _ in range(FAILURES + 1)]
    assert statuses == [502] * FAILURES + [503]


def test_the_former_champion_answers_what_the_champion_fails_on(site: InProcess) -> None:
    site.serve(fallback=target("0"))
    site.models.failing.add("wine-1")
    answers = [run(site.ask(request())) for _ in range(FAILURES + 5)]
    assert {(a.status, a.headers["x-model-role"]) for a in answers} == {(200, "fallback")}
    assert {a.headers["x-model-version"] for a in answers} == {"0"}
    assert site.figure("fallbacks_total") == len(answers)
    site.models.failing.add("wine-0")
    assert run(site.ask(request())).status == 503


@pytest.mark.parametrize(
    ("status", "body", "outward"),
    [
        (422, b'{"error":"half of \\ud83d"}', 422),
        (404, b"no such page", 502),
        (429, b"{}", 503),
        (200, b'{"outputs":[{"name":"y","datatype":"FP64","shape":[1],"data":[NaN]}]}', 502),
        (200, b'{"outputs":[{"name":"y","datatype":"FP64","shape":[1],"data":[1e999]}]}', 502),
        (200, b'{"outputs":[{"name":"y","datatype":"BYTES","shape":[1],"data":["\\ud83d"]}]}', 502),
        (200, b'{"outputs":[5]}', 502),
        (200, b"[" * 3000, 502),
    ],
)
def test_whatever_a_server_says_the_answer_is_json(
    site: InProcess, status: int, body: bytes, outward: int
) -> None:
    site.models.answers["wine-1"] = (status, body)
    answer = run(site.ask(request()))
    assert answer.status == outward
    assert answer.document["error"].isprintable()


def test_a_call_that_cannot_be_read_is_the_clients_fault(site: InProcess) -> None:
    for method in site.grpc.handlers:
        _, context = run(site.call(method, b"\xff\xff\xff"))
        assert context.code.name == "INVALID_ARGUMENT", method


def test_the_path_is_that_of_a_tenant(site: InProcess) -> None:
    assert run(site.ask(request(), PATH, token="other")).status == 401
    assert run(site.ask(request(), PATH.replace("demo", "other"))).status == 401
