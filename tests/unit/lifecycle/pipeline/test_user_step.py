"""Whatever a person's code does or returns, the error is about that code: step, place, value."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from mlops_infra.errors import InputError, Interrupted, OperationFailed
from mlops_infra.lifecycle.pipeline.definition.arguments import complete
from mlops_infra.lifecycle.pipeline.engines import local
from mlops_infra.lifecycle.pipeline.source.file import SourceFile
from mlops_infra.lifecycle.pipeline.source.packages import Packages
from mlops_infra.lifecycle.pipeline.source.user_pipeline import compile_file
from mlops_infra.lifecycle.pipeline.steps import contents
from mlops_infra.lifecycle.pipeline.steps.execution import execute
from mlops_infra.lifecycle.pipeline.steps.job import Job
from mlops_infra.progress import quiet

HEAD = "import os, signal, sys\nimport numpy as np\nfrom mlops_infra.pipelines import *\n"
MAIN = "from mlops_infra.cli.main import main; main()"
IMAGE = Packages(frozenset({"numpy", "pandas"}))


def ran(text: str, step: str, folder: Path, **given: Any) -> Path:
    """Run the steps of a file up to one of them; where that one has written its result."""
    pipeline = compile_file(SourceFile("a.py", HEAD + text), packages=IMAGE)
    values = complete(given, pipeline)
    for each in pipeline.steps:
        job = Job(
            pipeline=pipeline,
            step=each,
            run="r",
            parameters={name: values[name] for name in each.parameters},
            inputs={n: str(folder / s.step) for n, s in each.inputs.items()},
            outputs={name: str(folder / each.name) for name in each.outputs},
        )
        execute(job, quiet)
        if each.name == step:
            return folder / step
    raise AssertionError(step)


def one(body: str, returns: str = "dict") -> str:
    return f"@step\ndef one(code: int = 0) -> {returns}:\n    {body}\n"


def test_arguments_by_position_and_order_without_data(tmp_path: Path) -> None:
    text = "@step\ndef first() -> None:\n    print('to stderr')\n"
    text += "@step\ndef one(first: None, n: int = 2, /, *, m: int = 3) -> list:\n"
    text += "    return [first, n, m]\n"
    assert json.loads(ran(text, "one", tmp_path, n=5).read_text()) == [None, 5, 3]


def test_classes_of_the_module_work_as_in_a_module(tmp_path: Path) -> None:
    text = "import pickle\nfrom dataclasses import dataclass\n"
    text += "@dataclass\nclass A:\n    n: int = 1\n"
    body = "return {'n': pickle.loads(pickle.dumps(A())).n}"
    head = "from __future__ import annotations\n"
    pipeline = compile_file(SourceFile("a.py", head + HEAD + text + one(body)), packages=IMAGE)
    job = Job(pipeline, pipeline.steps[0], "r", {"code": 0}, {}, {"result": str(tmp_path / "one")})
    execute(job, quiet)
    assert json.loads((tmp_path / "one").read_text()) == {"n": 1}


def test_what_a_step_prints_is_no_result(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    ran(one("print('heard'); os.system('echo too'); return {}"), "one", tmp_path)
    out, err = capfd.readouterr()
    assert out == ""
    assert ("heard" in err, "too" in err) == (True, True)


ENDS = [
    ("sys.exit(code)", "step 'one' called sys.exit(0) and returned nothing"),
    ("raise SystemExit('bad')", "called sys.exit('bad')"),
    ("os._exit(code)", "step 'one' called os._exit(0) and returned nothing"),
    ("raise GeneratorExit", "step 'one' raised GeneratorExit"),
    ("raise MemoryError", "step 'one' raised MemoryError"),
    ("return 1 / code", "step 'one' raised ZeroDivisionError: division by zero"),
]


@pytest.mark.parametrize(("body", "what"), ENDS)
def test_a_step_that_ends_its_process_has_failed(body: str, what: str, tmp_path: Path) -> None:
    with pytest.raises(OperationFailed) as told:
        ran(one(body), "one", tmp_path)
    assert what in told.value.what
    assert told.value.where == f"a.py, line 6: {body}"
    assert os._exit.__module__ in ("posix", "nt")


def test_a_child_may_end_as_it_likes(tmp_path: Path) -> None:
    body = (
        "os.waitpid(os.fork() or os._exit(0), 0); return {}" if hasattr(os, "fork") else "return {}"
    )
    assert ran(one(body), "one", tmp_path).read_text() == "{}"


def test_a_step_that_is_stopped_says_its_time_limit(tmp_path: Path) -> None:
    with pytest.raises(Interrupted, match="step 'one' was stopped; its time limit is 3600 s"):
        ran(one("raise KeyboardInterrupt"), "one", tmp_path)


@pytest.mark.parametrize(
    ("body", "what"),
    [
        ("os.kill(os.getpid(), signal.SIGKILL)", "step 'one' was ended by SIGKILL"),
        ("os.abort()", "(?s)step 'one' was ended by SIGABRT.*line 6 in one"),
    ],
)
def test_the_end_of_a_process_is_told_in_words(body: str, what: str, tmp_path: Path) -> None:
    pipeline = compile_file(SourceFile("a.py", HEAD + one(body)), packages=IMAGE)
    with pytest.raises(OperationFailed, match=what):
        local.run_as_processes(
            pipeline, complete({}, pipeline), run="r", folder=tmp_path, environment={}, sink=quiet
        )


VALUES = [
    ("Metrics", {"accuracy": "high"}, "metric 'accuracy' is 'high' (str), not a number"),
    ("Metrics", {"accuracy": {"seoul": 0.9}}, "metric 'accuracy' is {'seoul': 0.9} (dict)"),
    ("Metrics", {"accuracy": 10**400}, "metric 'accuracy' is too large"),
    ("Metrics", {"accuracy": float("nan")}, "metric 'accuracy' is nan"),
    ("Metrics", {"accuracy": None}, "metric 'accuracy' is None"),
    ("Metrics", {1: 0.5, "1": 0.6}, "two metrics are called '1'"),
    ("Metrics", {"": 1}, "a metric has no name"),
    ("Metrics", [0.5], "wanted metrics: a dict of numbers by name, got builtins.list"),
    ("dict", {"a": [{1: "x"}]}, "['a'][0] has the key 1 (int)"),
    ("dict", {"a": {"b": float("inf")}}, "['a']['b'] is inf, which JSON cannot hold"),
    ("list", [set()], "[0] is a builtins.set, which JSON cannot hold"),
    ("bytes", "text", "wanted bytes, got builtins.str"),
]


@pytest.mark.parametrize(("returns", "value", "what"), VALUES)
def test_a_value_that_cannot_be_kept_is_named(
    returns: str, value: Any, what: str, tmp_path: Path
) -> None:
    shown = repr(value).replace("nan", "np.nan").replace("inf", "np.inf")
    with pytest.raises(InputError) as told:
        ran(one(f"return {shown}", returns), "one", tmp_path)
    assert what in told.value.what
    assert told.value.where == "output 'result' of step 'one'"


def test_what_a_library_says_of_a_persons_value_is_no_crash_of_ours(tmp_path: Path) -> None:
    text = "class Odd:\n    def __array__(self, *given, **named): raise OSError('no')\n"
    with pytest.raises(InputError, match=r"Odd cannot be kept as array: OSError: no") as told:
        ran(text + one("return Odd()", "np.ndarray"), "one", tmp_path)
    assert "step 'one'" in str(told.value.where)


def test_numbers_of_numpy_are_numbers() -> None:
    import numpy as np

    value = {"n": np.int64(3), "x": [np.float32(0.5), np.bool_(True)]}
    assert json.loads(contents.dump("json", value, "t")) == {"n": 3, "x": [0.5, True]}
    assert json.loads(contents.dump("metrics", {"정확도 (%)": np.float32(96.5)}, "t")) == {
        "정확도 (%)": 96.5
    }


def test_the_command_line_fails_where_the_step_has_quit(tmp_path: Path) -> None:
    file = tmp_path / "quits.py"
    file.write_text(HEAD + one("os._exit(code)"))
    done = subprocess.run(
        [sys.executable, "-c", MAIN, "pipeline", "run", file],
        env={**os.environ, "MLOPS_INFRA_DATA": str(tmp_path), "MLOPS_INFRA_CACHE": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert "step 'one' called os._exit(0)" in done.stderr
