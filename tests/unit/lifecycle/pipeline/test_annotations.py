"""A type means the same however it is written; what a parameter holds, what a step asks for."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mlops_infra.config.language.quantities import doubled
from mlops_infra.lifecycle.pipeline.definition.quantities import value
from mlops_infra.lifecycle.pipeline.source.checking import check
from mlops_infra.lifecycle.pipeline.source.file import SourceFile
from mlops_infra.lifecycle.pipeline.source.packages import Packages
from mlops_infra.lifecycle.pipeline.source.user_pipeline import compile_file, from_code

IMAGE = Packages(frozenset({"pandas", "numpy", "scikit-learn"}))
HEAD = """
import typing
import typing as t
import collections.abc as cabc
import numpy as np
import pandas as pd
import pandas
from numpy.typing import NDArray
from typing import Annotated, Any, Dict, List, Literal, Mapping, NewType, Optional, Sequence
from typing import TypeAlias, TypedDict, Union
import mlops_infra.pipelines as kit
from mlops_infra.pipelines import *

Frame = pd.DataFrame
Row: TypeAlias = "Dict[str, Any]"
Rows = List[Row]
Name = NewType("Name", str)
class Known(TypedDict):
    a: int
"""


def outputs(annotation: str, *, head: str = HEAD) -> dict[str, str]:
    """What a step of that return type hands over, in the file and in the code that travels."""
    text = f"{head}\n@kit.step\ndef one() -> {annotation}:\n    raise RuntimeError\n"
    file = SourceFile("a.py", text)
    assert [str(each) for each in check(file, IMAGE)] == []
    made = compile_file(file, packages=IMAGE)
    assert made.code is not None
    assert from_code(made.code, "a").steps == made.steps
    return dict(made.step("one").outputs)


CONTENTS = [
    ("Frame", "table"),
    ("'pd.DataFrame'", "table"),
    ("Optional[Frame] if 0 else Frame", None),
    ("Annotated['pandas.DataFrame', 'rows, columns']", "table"),
    ("NDArray[np.float64]", "array"),
    ("np.ndarray[Any, np.dtype[np.float64]]", "array"),
    ("kit.Metrics", "metrics"),
    ("'Model'", "model"),
    ("Known", "json"),
    ("Optional[Rows]", "json"),
    ("dict[Name, Mapping[str, Sequence[Union[int, float, None]]]]", "json"),
    ("Literal['a', 'b', 3] | None", "json"),
    ("Optional[pd.DataFrame]", None),
    ("Dict[int, str]", None),
    ("typing.Tuple[int, int]", None),
    ("Frame | bytes", None),
]


@pytest.mark.parametrize(("annotation", "content"), CONTENTS)
def test_a_type_travels_as_its_content_or_is_refused(annotation: str, content: str | None) -> None:
    if content is not None:
        assert outputs(annotation) == {"result": content}
        return
    text = f"{HEAD}\n@kit.step\ndef one() -> {annotation}:\n    raise RuntimeError\n"
    (found,) = check(SourceFile("a.py", text), IMAGE)
    assert found.mistake == "unserialisable"


def spelled(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    lists = st.sampled_from(["list", "List", "typing.List", "t.List", "Sequence", "cabc.Iterable"])
    dicts = st.sampled_from(["dict", "Dict", "typing.Dict", "Mapping", "cabc.Mapping", "t.Dict"])
    keys = st.sampled_from(["str", "'str'", "Any", "Name", "Literal['a', 'b']", "typing.Text"])
    quote = inner.filter(lambda text: "'" not in text and '"' not in text)
    return st.one_of(
        st.builds("{}[{}]".format, lists, inner),
        st.builds("{}[{}, {}]".format, dicts, keys, inner),
        st.builds("{}[{}]".format, st.sampled_from(["Optional", "t.Optional"]), inner),
        st.builds("{}[{}, {}]".format, st.sampled_from(["Union", "typing.Union"]), inner, inner),
        st.builds("Union[None, {}]".format, inner),
        st.builds("Annotated[{}, 'unit: m', 3]".format, inner),
        st.builds('"{}"'.format, quote),
        st.builds("({} | None)".format, inner.filter(lambda text: text[0] not in "'\"")),
    )


JSON = st.recursive(
    st.sampled_from(
        [
            *("str", "int", "float", "bool", "list", "dict", "List", "Dict", "Any", "object"),
            *("t.Any", "Known", "Row", "Rows", "Name", "Literal[1, 'x', None]", "typing.Text"),
        ]
    ),
    spelled,
    max_leaves=6,
)


@settings(max_examples=150)
@given(JSON, st.booleans())
def test_any_spelling_of_a_json_type_is_json(annotation: str, lazy: bool) -> None:
    future = "from __future__ import annotations\n" if lazy else ""
    assert outputs(annotation, head=future + HEAD) == {"result": "json"}


def findings(text: str) -> list[str]:
    return [f"{each.message} -> {each.hint}" for each in check(SourceFile("a.py", text), IMAGE)]


def one(arguments: str, mark: str = "@step") -> str:
    return f"{HEAD}\n{mark}\ndef one({arguments}) -> int:\n    return 1\n"


@pytest.mark.parametrize(
    ("argument", "told"),
    [
        ("n: Optional[str] = None", "is None, which is not a value -> write a value of type str"),
        ("n: float = 1e999", "wants a finite number, not 'inf'"),
        ("n: str = 'a\\0b'", "has a NUL"),
        ("n: str = '\\ud800'", "half a surrogate pair"),
        (f"n: str = {'x' * 5000!r}", "longer than 4096 bytes"),
        ("n: Literal['a', 'b'] = 'c'", "'c' is not a value of"),
        ("n: Union[str, int] = 'a'", "is a parameter: str, int, float or bool"),
    ],
)
def test_a_default_that_no_run_could_carry_is_told(argument: str, told: str) -> None:
    (found,) = findings(one(argument))
    assert told in found


def test_a_parameter_may_be_written_in_any_way_and_keeps_its_choices() -> None:
    text = one("a: Optional[int] = 3, b: 'float' = 1, c: Literal['x', 'y'] = 'x', d: Name = ''")
    made = compile_file(SourceFile("a.py", text), packages=IMAGE)
    assert {p.name: p.default for p in made.parameters} == {"a": 3, "b": 1.0, "c": "x", "d": ""}
    assert made.parameter("c").choices == ("x", "y")


@pytest.mark.parametrize(
    ("mark", "told"),
    [
        ('memory="2GB"', ["'2GB' is not a quantity: write 2Gi"]),
        ('memory="512m"', ["less than 64Mi; write 512Mi"]),
        ('memory="2 Gi", cpu="two"', ["write 2Gi", "write cores"]),
        ('memory="9Pi"', ["more than 64Ti"]),
        ('cpu="500Mi"', ["more than 1024 cores"]),
        ('cpu="0"', ["less than 1m"]),
        ('cpu="-1"', ["is not a quantity"]),
        ("retries=-1, timeout_seconds=0", ["retries: -1 is not", "timeout_seconds: 0 is not"]),
        ("retries=100000, timeout_seconds=10**9", ["100000 is not", "is computed"]),
        ("timeout_seconds=1000000000", ["between 1 and 2592000"]),
    ],
)
def test_all_that_no_engine_would_take_is_refused_at_once(mark: str, told: list[str]) -> None:
    found = findings(one("", f"@step({mark})"))
    assert len(found) == len(told)
    for each, expected in zip(found, told, strict=True):
        assert expected in each


@given(
    st.decimals(min_value="0.001", max_value=999, places=3),
    st.sampled_from(["", "m", "k", "M", "G", "T", "Ki", "Mi", "Gi", "Ti", "e3", "E-2"]),
)
def test_a_quantity_is_doubled_in_its_own_unit(number: object, suffix: str) -> None:
    quantity = f"{number}{suffix}"
    assert value(doubled(quantity)) == 2 * value(quantity)
    assert doubled(quantity).endswith(suffix)


@pytest.mark.parametrize(
    ("quantity", "amount"), [("1.5Gi", 1.5 * 2**30), ("500m", 0.5), ("1e3", 1000), (".5", 0.5)]
)
def test_quantities_are_those_of_kubernetes(quantity: str, amount: float) -> None:
    assert float(value(quantity)) == amount
