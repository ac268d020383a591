"""Pulumi's property values as plain Python, and back.

Inside the provider a value is None, bool, int, float, str, list, dict or a `Secret` around one of
them. An unknown value stays the sentinel string that the protocol uses.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from google.protobuf.struct_pb2 import NULL_VALUE, ListValue, Struct, Value

UNKNOWN = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"
"""Stands for a value that a preview cannot know yet (pulumi sdk, `rpc.UNKNOWN`)."""

SIGNATURE = "4dabf18193072939515e22adb298388d"
SECRET = "1b47061264138c4ac30d75fd1eb44270"  # noqa: S105  a tag of the protocol, no password
OUTPUT = "d0e6a833031e9bbcd3f4e8bde6ca49a4"
RESOURCE = "5cf8f73096256a8f31e491e813e4eb8e"

_EXACT = 2**53
"""Above this a double no longer holds every integer."""

_SCHEMA_KEYS = (
    "embedded-resource",
    "int-or-string",
    "list-map-keys",
    "list-type",
    "map-type",
    "preserve-unknown-fields",
    "validations",
)
_TO_DASH = {f"x_kubernetes_{k.replace('-', '_')}": f"x-kubernetes-{k}" for k in _SCHEMA_KEYS}
_TO_UNDERSCORE = {dash: underscore for underscore, dash in _TO_DASH.items()}

Tree = Any
"""A value as described above; recursive types would only hide that."""


@dataclass(frozen=True, slots=True)
class Secret:
    """A value that must be encrypted in state and hidden in output."""

    value: Tree

    def __repr__(self) -> str:
        return "Secret(...)"


def decode(struct: Struct) -> dict[str, Tree]:
    """Read a message's properties; names of CRD schema extensions get their dashes back."""
    return {
        _TO_DASH.get(key, key): _decode(value)
        for key, value in struct.fields.items()
        if value.WhichOneof("kind") != "null_value"
    }


def _decode(value: Value) -> Tree:
    match value.WhichOneof("kind"):
        case "string_value":
            return value.string_value
        case "number_value":
            number = value.number_value
            return int(number) if number.is_integer() and abs(number) < _EXACT else number
        case "bool_value":
            return value.bool_value
        case "struct_value":
            return _special(decode(value.struct_value))
        case "list_value":
            return [_decode(item) for item in value.list_value.values]
        case _:
            return None


def _special(fields: dict[str, Tree]) -> Tree:
    match fields.get(SIGNATURE):
        case str() as tag if tag == SECRET:
            return _secret(fields.get("value"))
        case str() as tag if tag == OUTPUT:
            inner = fields.get("value", UNKNOWN)
            return _secret(inner) if fields.get("secret") else inner
        case _:
            return fields


def _secret(inner: Tree) -> Secret:
    return inner if isinstance(inner, Secret) else Secret(inner)


def encode(tree: Mapping[str, Tree]) -> Struct:
    """Write properties into a message, without nulls; dashes of schema extensions as in state."""
    struct = Struct()
    for key, item in tree.items():
        if item is not None:
            _encode(item, struct.fields[_TO_UNDERSCORE.get(key, key)])
    return struct


def _encode(tree: Tree, target: Value) -> None:
    match tree:
        case None:
            target.null_value = NULL_VALUE
        case bool():
            target.bool_value = tree
        case int() | float():
            target.number_value = tree
        case str():
            target.string_value = tree
        case Secret(inner):
            _encode({SIGNATURE: SECRET, "value": inner}, target)
        case Mapping():
            target.struct_value.CopyFrom(encode(tree))
        case list() | tuple():
            items = ListValue()
            for item in tree:
                _encode(item, items.values.add())
            target.list_value.CopyFrom(items)
        case _:
            raise TypeError(f"no property value: {type(tree).__name__}")


def plain(tree: Tree) -> Tree:
    """The same values without their secret marks."""
    match tree:
        case Secret(inner):
            return plain(inner)
        case dict():
            return {key: plain(item) for key, item in tree.items()}
        case list():
            return [plain(item) for item in tree]
        case _:
            return tree


def has_unknown(tree: Tree) -> bool:
    """Whether any leaf is still unknown."""
    match tree:
        case Secret(inner):
            return has_unknown(inner)
        case dict():
            return any(has_unknown(item) for item in tree.values())
        case list():
            return any(has_unknown(item) for item in tree)
        case _:
            return bool(tree == UNKNOWN)


def has_secret(tree: Tree) -> bool:
    """Whether any part is marked secret."""
    match tree:
        case Secret():
            return True
        case dict():
            return any(has_secret(item) for item in tree.values())
        case list():
            return any(has_secret(item) for item in tree)
        case _:
            return False
