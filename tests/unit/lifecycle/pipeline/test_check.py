"""`pipeline check`: mistakes are found before the cluster sees them, with cell and line."""

from __future__ import annotations

import json
import textwrap
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mlops_infra.errors import FoundError, InputError
from mlops_infra.lifecycle.pipeline.source.checking import check
from mlops_infra.lifecycle.pipeline.source.file import SourceFile, notebook, read
from mlops_infra.lifecycle.pipeline.source.packages import Packages
from mlops_infra.lifecycle.pipeline.source.user_pipeline import (
    compile_file,
    from_code,
    name_of,
    origin,
)

HEAD = "import pandas as pd\nfrom mlops_infra.pipelines import Metrics, Model, step\n"
IMAGE = Packages(frozenset({"pandas", "numpy", "scikit-learn"}))


def source(text: str) -> SourceFile:
    return SourceFile("churn.py", HEAD + textwrap.dedent(text))


def cells(*texts: str) -> SourceFile:
    listed = [{"cell_type": "markdown", "source": "# notes"}]
    listed += [{"cell_type": "code", "source": text} for text in texts]
    return notebook("churn.ipynb", json.dumps({"nbformat": 4, "cells": listed}))


GOOD = """
    SIZE = 3

    def helper(n: int) -> list[int]:
        return list(range(n))

    secret_exploration = pd.read_csv("/nowhere.csv")

    @step(memory="2Gi", retries=1, cache=True)
    def table(rows: int = 5) -> pd.DataFrame:
        return pd.DataFrame({"a": helper(rows), "b": SIZE})

    @step
    def score(table: pd.DataFrame, factor: float = 1) -> Metrics:
        return {"sum": float(table["a"].sum() * factor)}
"""


def test_a_good_file_becomes_a_pipeline() -> None:
    made = compile_file(source(GOOD), commit="0" * 40, packages=IMAGE)
    assert [step.name for step in made.steps] == ["table", "score", "record"]
    assert {p.name: p.default for p in made.parameters} == {"rows": 5, "factor": 1.0}
    table = made.step("table")
    assert (table.resources.memory, table.retries, table.cached) == ("2Gi", 1, True)
    assert made.step("score").needs == ("table",)
    assert made.metrics is not None
    assert made.metrics.step == "score"


def test_only_what_the_steps_need_travels_and_on_its_own_line() -> None:
    made = compile_file(source(GOOD), packages=IMAGE)
    assert made.code is not None
    text = made.code.text
    assert "secret_exploration" not in text
    assert "def helper" in text
    *carried, mark, _ = text.split("\n")
    assert mark == "# mlops-infra: file churn.py"
    for there, here in zip(carried, source(GOOD).text.split("\n"), strict=False):
        assert there in ("", here)
    # what arrives gives the same pipeline again
    again = from_code(made.code, "churn")
    assert (again.steps, again.parameters) == (made.steps, made.parameters)


def test_the_code_is_named_by_what_the_steps_are_and_by_nothing_else() -> None:
    def sha(text: str) -> str:
        code = compile_file(source(text), packages=IMAGE).code
        assert code is not None
        return code.sha256

    assert sha(GOOD) == sha(GOOD.replace("/nowhere.csv", "/elsewhere.csv"))
    assert sha(GOOD) != sha(GOOD.replace("SIZE = 3", "SIZE = 4"))


ONE = "@step\ndef one({arguments}) -> {returns}:\n    {body}\n"


def one(arguments: str = "", returns: str = "int", body: str = "return 1") -> str:
    return ONE.format(arguments=arguments, returns=returns, body=body)


MISTAKES = [
    ("x = (", "syntax", "not valid Python"),
    ("x = 1", "no-steps", "no function is marked"),
    (one(arguments="n"), "missing-type", "argument 'n' of step 'one' has no type"),
    ("@step\ndef one():\n    return 1\n", "missing-type", "does not say what it returns"),
    (one(returns="set"), "unserialisable", "cannot be passed"),
    (one(returns="pd.Series"), "unserialisable", "cannot be passed"),
    (one(returns="dict[int, str]"), "unserialisable", "cannot be passed"),
    (one(body="yield 1"), "unserialisable", "generator"),
    (one(body="return lambda: 1"), "unserialisable", "a function or a generator"),
    (one(arguments="n: int"), "undeclared-input", "has no source"),
    (one(arguments="n: int = len('a')"), "default", "is computed"),
    (one(arguments="n: int = 'a'"), "default", "is str, not int"),
    (one(arguments="n: list = []"), "default", "str, int, float or bool"),
    (one(arguments="*n: int"), "signature", "takes * arguments"),
    ("@step\nasync def one() -> int:\n    return 1\n", "signature", "is async"),
    ("df = pd.read_csv('a')\n" + one(body="return len(df)"), "global", "computed in line 3"),
    ("df = 1\n" + one(body="global df; df = 2; return 1"), "global", "changes the global df"),
    (one(body="return nobody_knows"), "undefined", "'nobody_knows' is not defined"),
    ("import tensorflow\n" + one(body="return tensorflow.x"), "import", "'tensorflow' is not in"),
    (one(body="import torch; return 1"), "import", "'torch' is not in"),
    (one(body="from . import mate; return 1"), "import", "relative import"),
    ("@step(gpu=1)\ndef one() -> int:\n    return 1\n", "option", "no such option: 'gpu'"),
    ("@step(memory=2)\ndef one() -> int:\n    return 1\n", "option", "is int, not str"),
    (one() + one(), "twice", "already defined in line 4"),
    (one().replace("one", "record"), "name", "is reserved"),
    (
        "@step\ndef a(b: int) -> int:\n    return 1\n@step\ndef b(a: int) -> int:\n    return 1\n",
        "cycle",
        "depends on itself",
    ),
    (
        one(returns="bytes") + "@step\ndef two(one: pd.DataFrame) -> int:\n    return 1\n",
        "type-mismatch",
        "needs a table; 'one' returns a bytes",
    ),
    (
        one(arguments="n: int = 1") + "@step\ndef two(n: int = 2) -> int:\n    return 1\n",
        "default",
        "another type or default",
    ),
]


@pytest.mark.parametrize(("text", "mistake", "message"), MISTAKES)
def test_a_mistake_is_found(text: str, mistake: str, message: str) -> None:
    file = SourceFile("churn.py", HEAD + text)
    found = check(file, IMAGE)
    assert (mistake, True) in [(f.mistake, message in f.message) for f in found]
    with pytest.raises(FoundError):
        compile_file(file, packages=IMAGE)


def test_a_mistake_in_a_notebook_is_told_by_cell_and_line() -> None:
    file = cells(
        "%matplotlib inline\n" + HEAD,
        "%%bash\nrm -rf /",
        "frame = pd.DataFrame()\nfiles = !ls",
        "\n\n" + one(body="return len(frame)"),
    )
    (found,) = check(file, IMAGE)
    assert (found.place.cell, found.place.line) == (5, 5)
    assert "computed in cell 4, line 1" in found.message


COMMANDS = [
    "!pip install -q \\\n    pandas \\\n    numpy",
    "%load_ext autoreload\n%autoreload 2",
    "files = !ls \\\n  -l",
    "out['x'] = %env HOME",
    "pd.DataFrame?\npd.*?",
    "if True:\n    !mkdir -p \\\n        a",
    "?pd",
]


@pytest.mark.parametrize("command", COMMANDS)
def test_commands_of_ipython_are_left_out_whole(command: str) -> None:
    file = cells(HEAD, f"x = 1\n{command}\nSIZE = 3", one(body="return SIZE"))
    assert check(file, IMAGE) == []
    assert file.text.count("\n") == cells(HEAD, "\n" * (command.count("\n") + 2), one()).text.count(
        "\n"
    )


def test_a_timed_line_is_python() -> None:
    file = cells(HEAD, "%time SIZE = (1 +\n  2)", one(body="return SIZE"))
    assert check(file, IMAGE) == []
    assert "SIZE = (1 +\n  2)" in file.text


@given(st.lists(st.sampled_from(["%time", "!ls", "x?", "  % a", "a = !b", "\\\\", "", "'", "가"])))
def test_lines_inside_of_a_string_are_the_persons_own(lines: list[str]) -> None:
    text = "\n".join(lines)
    file = cells(HEAD, f'%matplotlib inline\nTEXT = """\n{text}"""\n!ls', one())
    space: dict[str, Any] = {}
    exec(file.text.partition("step\n")[2].partition("@step")[0], space)  # noqa: S102
    assert space["TEXT"] == "\n" + text.replace("\\\\", "\\")


IMPORTS = [
    ("from math import *\n" + one(body="return int(sqrt(4))"), "write from math import sqrt"),
    (
        "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import numpy as np\n"
        + one(body="return np.int64(1)"),
        "for annotations: from __future__ import annotations",
    ),
    ("try:\n    import torch\nexcept OSError:\n    pass\n" + one(body="return torch.x"), "recipes"),
    (
        one(returns="dict", body="return {}")
        + "@step\ndef two(one: None) -> None:\n    pass\n"
        + "@step\ndef three(two: dict) -> int:\n    return 1\n",
        "write two: None to run after it",
    ),
]


@pytest.mark.parametrize(("text", "hint"), IMPORTS)
def test_a_finding_says_what_to_write(text: str, hint: str) -> None:
    (found,) = check(SourceFile("a.py", HEAD + text), IMAGE)
    assert hint in str(found.hint)


GOOD_IMPORTS = [
    "try:\n    import torch\nexcept ImportError:\n    torch = None\n"
    + one(body="return 1 if torch is None else 2"),
    "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import torch\n"
    + one(body="x: torch.Tensor = 1; return x"),
    "import xml.sax\nimport xml.dom\nNAMES = [xml.sax.__name__, xml.dom.__name__]\n"
    + one(body="return len(NAMES)"),
    "import mlops_infra.pipelines as kit\n" + one().replace("@step", "@kit.step(retries=2)"),
    "if True:\n    import numpy as np\n" + one(returns="'np.ndarray'", body="return np.ones(1)"),
    "import warnings\nwith warnings.catch_warnings():\n    import numpy as np\n"
    + one(body="return np.ones(1)[0]"),
]


@pytest.mark.parametrize("text", GOOD_IMPORTS)
def test_an_import_may_stand_wherever_python_allows(text: str) -> None:
    made = compile_file(SourceFile("a.py", HEAD + text), packages=IMAGE)
    assert made.code is not None
    assert from_code(made.code, "a").steps == made.steps
    exec(made.code.text, {"__name__": "code"})  # noqa: S102 - that is the test


def test_a_file_may_name_its_encoding_and_end_its_lines_as_windows_does(tmp_path: Path) -> None:
    text = HEAD + one(returns="str", body="return '한글'")
    file = tmp_path / "a.py"
    file.write_bytes(f"# coding: cp949\n{text}".replace("\n", "\r\n").encode("cp949"))
    code = compile_file(read(file), packages=IMAGE).code
    assert code is not None
    assert "return '한글'\n" in code.text
    file.write_bytes(text.encode("cp949"))
    with pytest.raises(InputError, match="encoding of the file is not known") as told:
        read(file)
    assert "# coding: cp949" in str(told.value.hint)


def test_order_alone_is_an_argument_of_type_none() -> None:
    text = "@step\ndef a() -> None:\n    pass\n" + one("a: None, n: int = 2").replace("one(", "b(")
    made = compile_file(SourceFile("a.py", HEAD + text), packages=IMAGE)
    assert (made.step("b").after, made.step("b").inputs) == (("a",), {})


def test_a_traceback_of_travelled_code_leads_back_to_the_cell() -> None:
    made = compile_file(cells(HEAD, "x = 1", one(), one().replace("one", "two")), packages=IMAGE)
    assert made.code is not None
    line = made.code.text.split("\n").index("def two() -> int:") + 1
    place = origin(made.code.text).place(line)
    assert (place.cell, place.line) == (5, 2)


def test_the_first_import_path_still_works_and_says_the_new_one() -> None:
    old = HEAD.replace("mlops_infra.pipelines", "mlops_infra.lifecycle.pipeline")
    body = "@step\ndef fit(c: float = 1.0) -> Model:\n    return c\n"
    assert old != HEAD
    before, now = (compile_file(SourceFile("a.py", h + body), packages=IMAGE) for h in (old, HEAD))
    assert before.steps[0].outputs == now.steps[0].outputs == {"result": "model"}
    with pytest.warns(DeprecationWarning, match=r"import step from mlops_infra\.pipelines"):
        from mlops_infra.lifecycle.pipeline import step  # noqa: F401


def test_steps_may_be_called_as_before() -> None:
    from mlops_infra.pipelines import step

    @step(memory="1Gi")
    def double(n: int = 2) -> int:
        return 2 * n

    assert double(4) == 8
    with pytest.raises(TypeError, match="not gpu"):
        step(gpu=1)  # type: ignore[call-overload]


@pytest.mark.parametrize(
    "text", ["", "[]", "{}", '{"cells": 1}', '{"cells": [{"cell_type": "code"}]}', "[" * 10**5]
)
def test_what_is_no_notebook_is_told(text: str) -> None:
    with pytest.raises(InputError, match="not a notebook"):
        notebook("a.ipynb", text)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=20,
)
CODE = st.lists(
    st.sampled_from(
        ["@step", "def f(", "a: int = 1", "):", "\n", "  ", "return", " x", "%%sh", "!ls", "=", "'"]
    )
    | st.text(max_size=5),
    max_size=30,
).map("".join)


@settings(max_examples=60, deadline=None)
@given(st.dictionaries(st.sampled_from(["cells", "nbformat"]), JSON) | JSON)
def test_any_json_is_a_notebook_or_an_input_error(document: Any) -> None:
    try:
        notebook("a.ipynb", json.dumps(document))
    except InputError:
        return  # told in words, as every other mistake of a person


@settings(max_examples=150, deadline=None)
@given(CODE)
def test_any_text_is_checked_without_being_run(text: str) -> None:
    for finding in check(SourceFile("a.py", HEAD + text), IMAGE):
        assert finding.message
    check(cells(HEAD, text), IMAGE)


@settings(deadline=None)
@given(st.text(max_size=80))
def test_every_file_name_gives_a_name_of_a_pipeline(stem: str) -> None:
    file = SourceFile(f"{stem}.py", HEAD + one())
    assert compile_file(file, packages=IMAGE).name == name_of(f"{stem}.py")


def test_files_whose_names_differ_beyond_ascii_or_far_out_are_different_pipelines() -> None:
    files = ["이탈.py", "수요.py", "모델a.py", "a.py", f"{'x' * 50}1.py", f"{'x' * 50}2.py"]
    assert len({name_of(file) for file in files}) == len(files)
    assert (name_of("a.py"), name_of("Churn model (2).ipynb")) == ("a", "churn-model-2")
