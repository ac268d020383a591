"""What stock clients of the Open Inference Protocol get from a gateway.

    TOKEN=… MODEL=… python foreign_clients.py WHICH HTTP_ADDRESS GRPC_ADDRESS

Run by a Python that has them; WHICH is a function's name. Without MODEL the model is `wine` of the
tenant `demo`: its output `y` is `hour` plus `load`, `z` is a text. Ends with a traceback where an
answer is not the expected one.
"""

import asyncio
import json
import os
import sys
import tempfile
import urllib.request
from pathlib import Path

import numpy as np

TOKEN = os.environ.get("TOKEN", "secret")
HTTP = {"Authorization": f"Bearer {TOKEN}"}
GRPC = {"authorization": f"Bearer {TOKEN}", "x-tenant": "demo"}
HOURS = np.array([7, 8], dtype=np.int64)
LOADS = np.array([1.5, 2.5])
WORDS = np.array(["요청", "b"], dtype=object)
SUMS = [8.5, 10.5]


def tensors(kind, hours=HOURS, loads=LOADS, words=WORDS):
    """The inputs of a request, as the client sends them by default."""
    made = []
    given = (("hour", "INT64", hours), ("load", "FP64", loads), ("word", "BYTES", words))
    for name, datatype, data in given:
        tensor = kind(name, list(data.shape), datatype)
        tensor.set_data_from_numpy(data)
        made.append(tensor)
    return made


def refused(call, *told):
    """Require the client's own exception with words of the reason."""
    from tritonclient.utils import InferenceServerException

    text = "an answer"
    try:
        call()
    except InferenceServerException as error:
        text = f"{error.status()} {error.message()}"
    assert all(word in text for word in told), text


def check_outputs(result):
    """Require both outputs of the good request."""
    assert result.as_numpy("y").tolist() == SUMS
    assert result.as_numpy("z").tolist() == [b"7", b"8"]


def triton_http(address, _grpc):
    """tritonclient[http] with its defaults: raw tensors both ways."""
    import tritonclient.http as triton

    client = triton.InferenceServerClient(f"{address}/demo")
    assert client.is_server_live()
    assert client.is_server_ready()
    assert "binary_tensor_data" in client.get_server_metadata()["extensions"]
    assert client.is_model_ready("wine", headers=dict(HTTP))
    assert client.is_model_ready("wine", "1", headers=dict(HTTP))
    assert not client.is_model_ready("wine", "9", headers=dict(HTTP))
    inputs = tensors(triton.InferInput)

    def infer(**more):
        return client.infer("wine", more.pop("inputs", inputs), headers=dict(HTTP), **more)

    result = infer(request_id="mine")
    check_outputs(result)
    assert result.get_response()["id"] == "mine"
    told = client.get_model_metadata("wine", headers=dict(HTTP))
    assert [(i["name"], i["datatype"]) for i in told["inputs"]][:2] == [
        ("hour", "INT64"),
        ("load", "FP64"),
    ]
    assert [each["name"] for each in told["outputs"]] == ["y", "z"]
    check_outputs(infer(model_version="1"))
    named = [triton.InferRequestedOutput("z"), triton.InferRequestedOutput("y", binary_data=False)]
    check_outputs(infer(outputs=named))
    check_outputs(client.async_infer("wine", inputs, headers=dict(HTTP)).get_result())
    for one, other in (("gzip", "deflate"), ("deflate", "gzip")):
        check_outputs(
            infer(request_compression_algorithm=one, response_compression_algorithm=other)
        )
    many = {"hours": np.repeat(HOURS[:1], 90), "loads": np.repeat(LOADS[:1], 90)}
    long = tensors(triton.InferInput, **many, words=np.repeat(WORDS[1:], 90))
    packed = infer(inputs=long, response_compression_algorithm="gzip")
    assert packed.as_numpy("y").tolist() == [8.5] * 90

    none = np.array([], dtype=np.int64)
    empty = tensors(triton.InferInput, none, none.astype(float), none.astype(object))
    refused(lambda: infer(inputs=empty), "400", "has no elements")
    late = tensors(triton.InferInput, hours=HOURS + 70)
    refused(lambda: infer(inputs=late), "400", "77 is above 23")
    unknown = [triton.InferRequestedOutput("nosuch")]
    refused(lambda: infer(outputs=unknown), "400", "no output 'nosuch'")
    refused(lambda: infer(model_version="9"), "404", "does not serve version")
    refused(lambda: client.infer("none", inputs, headers=dict(HTTP)), "404", "serves no model")
    refused(lambda: client.infer("wine", inputs), "401", "bearer token")
    client.close()


def triton_grpc(_http, address):
    """tritonclient[grpc] with its defaults: raw contents."""
    import tritonclient.grpc as triton

    client = triton.InferenceServerClient(address)
    assert client.is_server_live()
    assert client.is_server_ready()
    assert "binary_tensor_data" in client.get_server_metadata().extensions
    assert client.is_model_ready("wine", headers=dict(GRPC))
    inputs = tensors(triton.InferInput)

    def infer(**more):
        return client.infer("wine", more.pop("inputs", inputs), headers=dict(GRPC), **more)

    result = infer(request_id="mine")
    check_outputs(result)
    assert result.get_response().id == "mine"
    told = client.get_model_metadata("wine", headers=dict(GRPC))
    first = told.inputs[0]
    assert (first.name, first.datatype, list(first.shape)) == ("hour", "INT64", [-1, 1])
    assert [each.name for each in told.outputs] == ["y", "z"]
    check_outputs(infer(model_version="1"))
    check_outputs(infer(compression_algorithm="gzip"))
    only = infer(outputs=[triton.InferRequestedOutput("y")])
    assert only.as_numpy("z") is None
    assert only.as_numpy("y").tolist() == SUMS

    none = np.array([], dtype=np.int64)
    empty = tensors(triton.InferInput, none, none.astype(float), none.astype(object))
    refused(lambda: infer(inputs=empty), "INVALID_ARGUMENT", "has no elements")
    late = tensors(triton.InferInput, hours=HOURS + 70)
    refused(lambda: infer(inputs=late), "INVALID_ARGUMENT", "77 is above 23")
    unknown = [triton.InferRequestedOutput("nosuch")]
    refused(lambda: infer(outputs=unknown), "INVALID_ARGUMENT", "no output 'nosuch'")
    refused(lambda: infer(model_version="9"), "NOT_FOUND", "does not serve version")
    refused(
        lambda: client.infer("none", inputs, headers=dict(GRPC)), "NOT_FOUND", "serves no model"
    )
    refused(lambda: client.infer("wine", inputs), "UNAUTHENTICATED")
    client.close()


def mlserver(address, grpc_address):
    """MLServer's codecs, its types, its gRPC stubs, and its program `mlserver infer`."""
    import grpc
    import pandas as pd
    from mlserver.batch_processing import process_batch
    from mlserver.codecs import NumpyCodec, PandasCodec, StringCodec
    from mlserver.grpc import converters, dataplane_pb2_grpc
    from mlserver.types import InferenceResponse, MetadataModelResponse

    frame = pd.DataFrame({"hour": HOURS, "load": LOADS, "word": WORDS.astype(str)})
    request = PandasCodec.encode_request(frame, use_bytes=False)

    def fetched(path, body=None):
        url = f"http://{address}/demo/v2/models/wine{path}"
        kind = {"Content-Type": "application/json"}
        with urllib.request.urlopen(urllib.request.Request(url, body, HTTP | kind)) as answer:
            return answer.read()

    def check(answer):
        outputs = {each.name: each for each in answer.outputs}
        assert NumpyCodec.decode_output(outputs["y"]).ravel().tolist() == SUMS
        assert [str(each) for each in StringCodec.decode_output(outputs["z"])] == ["7", "8"]

    body = request.model_dump_json(exclude_none=True).encode()
    check(InferenceResponse.model_validate_json(fetched("/infer", body)))
    told = MetadataModelResponse.model_validate_json(fetched(""))
    assert [each.name for each in told.outputs] == ["y", "z"]
    request = PandasCodec.encode_request(frame)
    with grpc.insecure_channel(grpc_address) as channel:
        stub = dataplane_pb2_grpc.GRPCInferenceServiceStub(channel)
        for raw in (False, True):
            asked = converters.ModelInferRequestConverter.from_types(request, "wine", use_raw=raw)
            answer = stub.ModelInfer(asked, metadata=tuple(GRPC.items()))
            check(converters.ModelInferResponseConverter.to_types(answer))
    for binary in (False, True):
        _batch(process_batch, address, body.decode(), binary=binary)


def _batch(process_batch, address, line, *, binary):
    """`mlserver infer`: one request a line, of which one is wrong."""
    wrong = json.loads(line)
    wrong["inputs"][0]["data"] = [77, 78]
    with tempfile.TemporaryDirectory() as folder:
        given, made = Path(folder, "in"), Path(folder, "out")
        given.write_text(f"{line}\n{json.dumps(wrong)}\n")
        asyncio.run(
            process_batch(
                model_name="wine",
                url=f"{address}/demo",
                workers=1,
                retries=1,
                input_data_path=str(given),
                output_data_path=str(made),
                binary_data=binary,
                batch_size=1,
                verbose=False,
                extra_verbose=False,
                transport="rest",
                request_headers=[f"Authorization: Bearer {TOKEN}"],
                timeout=30,
                batch_interval=0,
                batch_jitter=0,
                insecure=False,
                use_ssl=False,
            )
        )
        answers = sorted(map(json.loads, made.read_text().splitlines()), key=lambda a: "error" in a)
    assert answers[0]["outputs"][0]["data"] == SUMS, answers
    assert "77 is above 23" in str(answers[1]["error"]), answers


def any_model(address, grpc_address):
    """A model of numbers, by what it tells about itself, with both of Triton's clients."""
    import tritonclient.grpc
    import tritonclient.http

    model = os.environ["MODEL"]
    http = tritonclient.http.InferenceServerClient(f"{address}/demo")
    told = http.get_model_metadata(model, headers=dict(HTTP))
    expected = [(each["name"], each["datatype"]) for each in told["outputs"]]
    assert expected, "it has answered when it was tried, so its outputs are known"
    for library, client, headers in (
        (tritonclient.http, http, HTTP),
        (tritonclient.grpc, tritonclient.grpc.InferenceServerClient(grpc_address), GRPC),
    ):
        assert client.is_server_live()
        assert client.is_server_ready()
        assert client.is_model_ready(model, headers=dict(headers))
        inputs = []
        for each in told["inputs"]:
            inputs.append(library.InferInput(each["name"], [2, 1], each["datatype"]))
            inputs[-1].set_data_from_numpy(np.ones((2, 1)))
        result = client.infer(model, inputs, headers=dict(headers))
        for name, _ in expected:
            assert len(result.as_numpy(name)) == 2
        wanted = [library.InferRequestedOutput(name) for name, _ in expected]
        result = client.infer(model, inputs, outputs=wanted, headers=dict(headers))
        assert result.as_numpy(expected[0][0]) is not None

        def lacking(client=client, inputs=inputs, headers=headers):
            client.infer(model, inputs[1:], headers=dict(headers))

        refused(lacking, "it is missing")


if __name__ == "__main__":
    of_one_model = {"triton_http": triton_http, "triton_grpc": triton_grpc, "mlserver": mlserver}
    {**of_one_model, "any_model": any_model}[sys.argv[1]](*sys.argv[2:])
