"""What the top of a module leaves behind: a step sees it, or `pipeline check` says so."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from mlops_infra.lifecycle.pipeline.source.checking import check
from mlops_infra.lifecycle.pipeline.source.file import SourceFile
from mlops_infra.lifecycle.pipeline.source.packages import Packages
from mlops_infra.lifecycle.pipeline.source.user_pipeline import compile_file

HEAD = """import os
import random
import sys

import numpy as np
from mlops_infra.pipelines import step
"""
IMAGE = Packages(frozenset({"numpy"}))


def seen(module: str, returned: str, *, head: str = HEAD) -> tuple[Any, Any]:
    """What a step that returns an expression gives in the module, and in its own process."""
    text = f"{head}{module}\n@step\ndef seen() -> dict:\n    return {{'seen': {returned}}}\n"
    file = SourceFile("a.py", text)
    found = check(file, IMAGE)
    assert [str(each) for each in found] == []
    code = compile_file(file, packages=IMAGE).code
    assert code is not None
    return _run(text)["seen"](), _run(code.text)["seen"]()


def _run(text: str) -> dict[str, Any]:
    space: dict[str, Any] = {"__name__": "code"}
    exec(compile(text, "a.py", "exec", dont_inherit=True), space)  # noqa: S102 - that is the test
    return space


CARRIED = [
    ("A = {}\nA['k'] = 1", "A"),
    ("A = ['a']\nA.append('b')\nA += ['c']", "A"),
    ("A = {'x': {}}\nA['x']['y'] = 1\ndel A['x']['y']\nA['z'] = 2", "A"),
    ("A = ['b', 'a']\nfor c in ['d', 'c']:\n    A.append(c)\nA.sort()", "A"),
    ("A = [1]\nB = A\nB.append(2)", "A"),
    ("A = [[1]]\nfor part in A:\n    part.append(2)", "A"),
    ("A = [1]\nB = A + [2]\nA = [5]", "B"),
    ("A = [1]\nB = A\nA = eval('[8]')\nB.append(2)", "B"),
    ("A = [1]\nB = [A]\nC = A\nA = [5]\nC.append(2)", "B"),
    ("A = 1\nA = A + 1", "A"),
    ("A = [1, 2, 3]\nB = [a for a in A if a != 2]", "B"),
    ("A = []\ndef fill(n):\n    A.append(n)\nfill(3)", "A"),
    ("class Settings:\n    size = 1\nSettings.size = 2", "Settings.size"),
    ("def f():\n    return f.calls\nf.calls = 3", "f()"),
    ("random.seed(0)", "random.random()"),
    ("np.random.seed(4)", "float(np.random.rand())"),
    (
        "def set_seed(s):\n    random.seed(s)\n    np.random.seed(s)\nset_seed(42)",
        "random.random() + float(np.random.rand())",
    ),
    ("os.environ['MLOPS_TEST_ONLY'] = 'x'", "os.environ.get('MLOPS_TEST_ONLY')"),
    ("A = 1; B = A; sys.setrecursionlimit(5000)", "(A, B)"),
    ("import os.path\nimport os.path as p\nA = p", "A.basename('a/b') + os.path.basename('a/c')"),
    ("if sys.version_info >= (3, 8):\n    A = 1\nelse:\n    A = 2", "A"),
    ("A = None\ntry:\n    import nowhere as A\nexcept ImportError:\n    pass", "A"),
]


@pytest.mark.parametrize(("module", "returned"), CARRIED)
def test_what_can_run_again_is_seen_by_the_step(module: str, returned: str) -> None:
    in_module, in_step = seen(module, returned)
    assert in_step == in_module


def test_a_statement_beside_a_needed_one_on_its_line_stays_at_home() -> None:
    text = f"{HEAD}A = '한글'; B = open('/nowhere').read(); C = 3\n"
    text += "@step\ndef seen() -> dict:\n    return {'a': A, 'c': C}\n"
    code = compile_file(SourceFile("a.py", text), packages=IMAGE).code
    assert code is not None
    assert "A = '한글'; pass; C = 3" in code.text
    assert _run(code.text)["seen"]() == {"a": "한글", "c": 3}


TOLD = [
    ("A = {}\nA.update(eval('{}'))", "A", "'A', which is changed in line 8"),
    ("A = []\nwhile len(A) < 3:\n    A.append(1)", "A", "'A', which is changed in line 8"),
    ("A = [1, 2]\nrandom.shuffle(A)", "A", "'A', which is changed in line 8"),
    ("random.seed(os.getpid())", "random.random()", "'random', which is changed in line 7"),
    (
        "A = {}\ndef load(into):\n    into['x'] = open('/x').read()\nload(A)",
        "A",
        "'A', which is changed in line 10",
    ),
    ("A = 1\nA = open('/x').read()\nB = A[:1]", "B", "'B', which is computed in line 9"),
]


@pytest.mark.parametrize(("module", "returned", "message"), TOLD)
def test_what_only_a_run_of_the_file_tells_is_told(
    module: str, returned: str, message: str
) -> None:
    text = f"{HEAD}{module}\n@step\ndef seen() -> dict:\n    return {{'seen': {returned}}}\n"
    found = [str(each) for each in check(SourceFile("a.py", text), IMAGE)]
    assert any(message in each for each in found), found


HARMLESS = [
    ("A = open('/x').read()\nA.pop()\nA = [1]", "A"),
    ("print(sys.argv)\nnp.set_printoptions(precision=3)\nopen('/nowhere')", "float(np.ones(1)[0])"),
    ("os.environ['TOKEN'] = input()", "os.path.basename('a/b')"),
    ("A = {}\nif __name__ == '__main__':\n    A['x'] = open('/x')", "len(A)"),
]


@pytest.mark.parametrize(("module", "returned"), HARMLESS)
def test_what_no_step_sees_is_not_in_its_way(module: str, returned: str) -> None:
    text = f"{HEAD}{module}\n@step\ndef seen() -> dict:\n    return {{'seen': {returned}}}\n"
    code = compile_file(SourceFile("a.py", text), packages=IMAGE).code
    assert code is not None
    _run(code.text)["seen"]()


def test_one_step_does_not_change_what_another_reads() -> None:
    text = HEAD + (
        "LOG = []\n@step\ndef one() -> int:\n    LOG.append(1)\n    return 1\n"
        "@step\ndef two(one: int) -> int:\n    return len(LOG)\n"
    )
    (found,) = check(SourceFile("a.py", text), IMAGE)
    assert "step 'one' changes 'LOG', which step 'two' uses" in found.message


STATEMENTS = st.sampled_from(
    [
        *("A = [1]", "A = [0, *A]", "A.append(N)", "A += [N, 2]", "A.extend(B)", "A[0:1] = [7]"),
        *("B = {'x': N}", "B = dict(B)", "B['k'] = N", "B.update(y=N)", "B.pop('k', None)"),
        *("N = 3", "N = N + 1", "N += 1", "N = len(A)", "A, N = [N], 4", "B = {**B, 'n': A}"),
        *("for N in [4, 5]:\n    A.append(N)", "if N > 2:\n    B['big'] = N\nelse:\n    N = 9"),
        *("C = A", "C.append(9)", "C = [A, B]", "C[0] = 1", "fill(2)", "add(A, 3)", "N = fill"),
        *("def fill(n):\n    B['f'] = n", "def fill(n):\n    A.insert(0, n)"),
        *("try:\n    import nowhere\nexcept ImportError:\n    B['no'] = 1", "A.reverse()"),
        *("X = eval('[8]')", "B['c'] = X", "A.append(X)", "global_ = 1; N = 6"),
    ]
)
START = """A, B, C, N, X = [], {}, [], 1, "x"
def fill(n):
    pass
def add(to, n):
    to.append(n)
"""


@settings(max_examples=200)
@example(["C = A", "A += [N, 2]", "A.append(N)"], "C")
@example(["C = A", "C += [N, 2]", "C.append(N)"], "A")
@example(["def fill(n):\n    B['f'] = n", "fill(2)", "def fill(n):\n    A.insert(0, n)"], "B")
@example(["B = {**B, 'n': A}", "B = dict(B)", "add(A, 3)"], "B")
@example(["C = A", "A += [N, 2]", "C.append(9)"], "A")
@example(["B = {**B, 'n': A}", "C = A", "A = [1]", "C.append(9)"], "B")
@given(st.lists(STATEMENTS, max_size=7), st.sampled_from(["A", "B", "C", "N", "A, B", "X"]))
def test_a_step_sees_what_the_module_left_or_check_says_so(
    statements: list[str], returned: str
) -> None:
    module = START + "\n".join(statements)
    text = (
        f"{HEAD}{module}\n@step\ndef seen() -> dict:\n    return {{'seen': repr(({returned},))}}\n"
    )
    try:
        expected = _run(text)["seen"]()
    except (KeyError, IndexError, TypeError, AttributeError, RecursionError, ValueError):
        return  # not a module that anybody could have run
    file = SourceFile("a.py", text)
    if check(file, IMAGE):
        return
    code = compile_file(file, packages=IMAGE).code
    assert code is not None
    if "function" not in expected["seen"]:
        assert _run(code.text)["seen"]() == expected
