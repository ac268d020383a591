from __future__ import annotations

import base64

from google.protobuf.json_format import ParseDict
from google.protobuf.struct_pb2 import Struct
from hypothesis import given
from hypothesis import strategies as st

from mlops_infra.kubeprovider.secrecy import Redactor, mark
from mlops_infra.kubeprovider.values import (
    OUTPUT,
    SIGNATURE,
    UNKNOWN,
    Secret,
    decode,
    encode,
    has_unknown,
    plain,
)

LEAVES = st.one_of(
    st.booleans(),
    st.integers(-(2**52), 2**52),
    st.text(),
    st.floats(allow_nan=False).map(lambda x: x + 0.0),
)
KEYS = st.text(min_size=1).filter(lambda k: k != SIGNATURE and not k.startswith("x"))
TREES = st.recursive(
    LEAVES,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(KEYS, inner, max_size=3),
        inner.map(lambda v: v if isinstance(v, Secret) else Secret(v)),
    ),
    max_leaves=8,
)


@given(st.dictionaries(KEYS, TREES, max_size=4))
def test_values_survive_the_wire(tree: dict[str, object]) -> None:
    assert decode(encode(tree)) == tree


def test_output_values_are_unpacked() -> None:
    message = ParseDict(
        {
            "known": {SIGNATURE: OUTPUT, "value": "x", "secret": True},
            "unknown": {SIGNATURE: OUTPUT},
            "nothing": None,
        },
        Struct(),
    )
    assert decode(message) == {"known": Secret("x"), "unknown": UNKNOWN}
    assert has_unknown(decode(message))


def test_schema_extensions_get_their_dashes() -> None:
    message = ParseDict({"x_kubernetes_list_type": "map"}, Struct())
    assert decode(message) == {"x-kubernetes-list-type": "map"}
    assert encode(decode(message)) == message


def test_secrecy_follows_the_inputs_and_hides_whole_lists() -> None:
    inputs = {"spec": {"env": [{"value": Secret("p")}], "name": "n"}, "gone": Secret("x")}
    outputs = {"spec": {"env": [{"value": "p"}, {"value": "q"}], "name": "n"}, "status": {}}
    marked = mark(outputs, inputs)
    assert marked["spec"]["env"] == Secret([{"value": "p"}, {"value": "q"}])
    assert marked["spec"]["name"] == "n"
    assert plain(marked) == outputs


def test_a_secret_object_is_always_secret() -> None:
    note = "kubectl.kubernetes.io/last-applied-configuration"
    live = {"kind": "Secret", "data": {"a": "YQ=="}, "metadata": {"annotations": {note: "{}"}}}
    marked = mark(live, {})
    assert marked["data"] == Secret({"a": "YQ=="})
    assert marked["metadata"]["annotations"][note] == Secret("{}")


def test_messages_lose_secrets_in_every_form() -> None:
    redactor = Redactor()
    encoded = base64.b64encode(b"hunter2-hunter2").decode()
    redactor.learn({"kind": "Secret", "data": {"p": encoded, "user": "bWxmbG93"}})
    redactor.learn({"a": [Secret("topsecret-99")]})
    text = redactor.clean(f"Pod mlflow-1: hunter2-hunter2 {encoded} topsecret-99")
    assert text == "Pod mlflow-1: [secret] [secret] [secret]"
