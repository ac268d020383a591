"""Messages of the Open Inference Protocol's gRPC form, built here from a table of their fields.

Names, numbers and types are those of `open_inference_grpc.proto` (package `inference`, version 2 of
the protocol). A test holds them against the ones that MLServer has generated.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from google.protobuf.descriptor_pb2 import DescriptorProto

SERVICE = "inference.GRPCInferenceService"
PARAMETERS = "map InferParameter"
_FIELDS: dict[str, dict[str, str]] = {
    "ServerLiveRequest": {},
    "ServerLiveResponse": {"live": "bool"},
    "ServerReadyRequest": {},
    "ServerReadyResponse": {"ready": "bool"},
    "ServerMetadataRequest": {},
    "ServerMetadataResponse": {
        "name": "string",
        "version": "string",
        "extensions": "repeated string",
    },
    "ModelReadyRequest": {"name": "string", "version": "string"},
    "ModelReadyResponse": {"ready": "bool"},
    "ModelMetadataRequest": {"name": "string", "version": "string"},
    "ModelMetadataResponse.TensorMetadata": {
        "name": "string",
        "datatype": "string",
        "shape": "repeated int64",
    },
    "ModelMetadataResponse": {
        "name": "string",
        "versions": "repeated string",
        "platform": "string",
        "inputs": "repeated ModelMetadataResponse.TensorMetadata",
        "outputs": "repeated ModelMetadataResponse.TensorMetadata",
    },
    "InferParameter": {
        "bool_param": "oneof bool",
        "int64_param": "oneof int64",
        "string_param": "oneof string",
    },
    "InferTensorContents": {
        "bool_contents": "repeated bool",
        "int_contents": "repeated int32",
        "int64_contents": "repeated int64",
        "uint_contents": "repeated uint32",
        "uint64_contents": "repeated uint64",
        "fp32_contents": "repeated float",
        "fp64_contents": "repeated double",
        "bytes_contents": "repeated bytes",
    },
    "ModelInferRequest.InferInputTensor": {
        "name": "string",
        "datatype": "string",
        "shape": "repeated int64",
        "parameters": PARAMETERS,
        "contents": "InferTensorContents",
    },
    "ModelInferRequest.InferRequestedOutputTensor": {"name": "string", "parameters": PARAMETERS},
    "ModelInferRequest": {
        "model_name": "string",
        "model_version": "string",
        "id": "string",
        "parameters": PARAMETERS,
        "inputs": "repeated ModelInferRequest.InferInputTensor",
        "outputs": "repeated ModelInferRequest.InferRequestedOutputTensor",
        "raw_input_contents": "repeated bytes",
    },
    "ModelInferResponse.InferOutputTensor": {
        "name": "string",
        "datatype": "string",
        "shape": "repeated int64",
        "parameters": PARAMETERS,
        "contents": "InferTensorContents",
    },
    "ModelInferResponse": {
        "model_name": "string",
        "model_version": "string",
        "id": "string",
        "parameters": PARAMETERS,
        "outputs": "repeated ModelInferResponse.InferOutputTensor",
        "raw_output_contents": "repeated bytes",
    },
}
"""Message to its fields, numbered from 1 in their order."""
METHODS = (
    "ServerLive",
    "ServerReady",
    "ServerMetadata",
    "ModelReady",
    "ModelMetadata",
    "ModelInfer",
)


@cache
def messages() -> dict[str, Any]:
    """Message classes by name, `ModelInferRequest` for example.

    In a pool of their own: another library's copy of the protocol does not disturb them.
    """
    from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

    file = descriptor_pb2.FileDescriptorProto(
        name="mlops_infra/inference.proto", package="inference", syntax="proto3"
    )
    made: dict[str, DescriptorProto] = {}
    # the outer ones first: the inner ones are made inside of them
    for name in sorted(_FIELDS, key=lambda each: each.count(".")):
        outer, _, inner = name.rpartition(".")
        made[name] = (
            made[outer].nested_type.add(name=inner) if outer else file.message_type.add(name=name)
        )
        for number, (field, told) in enumerate(_FIELDS[name].items(), 1):
            _add(made[name], name, number, field, told)
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    found = (pool.FindMessageTypeByName(f"inference.{name}") for name in _FIELDS)
    return {
        each.full_name.removeprefix("inference."): message_factory.GetMessageClass(each)
        for each in found
    }


def _add(message: DescriptorProto, name: str, number: int, field: str, told: str) -> None:
    how, _, kind = told.rpartition(" ")
    made = message.field.add(
        name=field, number=number, label=3 if how in ("repeated", "map") else 1
    )
    if how == "map":
        entry = message.nested_type.add(name=f"{field.title()}Entry")
        entry.options.map_entry = True
        _add(entry, f"{name}.{entry.name}", 1, "key", "string")
        _add(entry, f"{name}.{entry.name}", 2, "value", kind)
        kind = f"{name}.{entry.name}"
    if how == "oneof":
        if not message.oneof_decl:
            message.oneof_decl.add(name="parameter_choice")
        made.oneof_index = 0
    if kind in _SCALARS:
        made.type = _SCALARS[kind]
    else:
        made.type = 11
        made.type_name = f".inference.{kind}"


_SCALARS = {
    "double": 1,
    "float": 2,
    "int64": 3,
    "uint64": 4,
    "int32": 5,
    "bool": 8,
    "string": 9,
    "bytes": 12,
    "uint32": 13,
}
"""Numbers of FieldDescriptorProto.Type."""
