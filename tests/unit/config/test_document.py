"""The reader of YAML: lines, YAML 1.2's scalars, and no input that does worse than ConfigError."""

from __future__ import annotations

import json
import re
import tempfile
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import example, given, settings
from hypothesis import strategies as st

from mlops_infra import config
from mlops_infra.config.language.document import MAX_BYTES, read
from mlops_infra.errors import ConfigError


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("no", "no"),
        ("on", "on"),
        ("12:30", "12:30"),
        ("2026-11-21", "2026-11-21"),
        ("1_000", "1_000"),
        ("true", True),
        ("~", None),
        ("0x1f", 31),
        ("1e3", 1000.0),
        ("'1'", "1"),
        ("v1.18", "v1.18"),
    ],
)
def test_scalars_mean_what_pulumi_reads(text: str, value: object) -> None:
    document = read(f"key: {text}")
    assert document.tree == {"key": value}
    assert not document.problems


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        ("a: 1\nb: 2\na: 3", 3, "twice"),
        ("a: &x 1\nb: *x", 1, "anchors"),
        ("a: !!python/object:os.system {}", 1, "tags"),
        ("a: 1\n---\nb: 2", 2, "second document"),
        ("a: 012345678901", 1, "octal"),
        ("a: [1, 2\n", 2, "not valid YAML"),
        ("a: 1\n\tb: 2", 2, "not valid YAML"),
        ("? [a, b]\n: c", 1, "plain text"),
        ("a: " + "[" * 100, 1, "deeper"),
    ],
)
def test_what_a_reviewer_could_misread_is_refused(text: str, line: int, words: str) -> None:
    problem = read(text).problems[0]
    assert problem.line == line
    assert words in problem.message


def test_nesting_cannot_exhaust_the_stack() -> None:
    assert read("a: " + "[" * 50_000).problems
    assert read("{a: " * 50_000).problems


@pytest.mark.parametrize(
    "raw", [b"", b"\xff\xfe\x00", b"a: \x00", b"# nothing\n", b"- 1", b"x" * (MAX_BYTES + 1)]
)
def test_files_that_are_no_configuration(tmp_path: Path, raw: bytes) -> None:
    file = tmp_path / "Pulumi.x.yaml"
    file.write_bytes(raw)
    with pytest.raises(ConfigError):
        config.load(file)


def told(error: ConfigError) -> None:
    assert error.problems
    assert str(error)
    assert error.as_dict()


def loaded(raw: bytes) -> config.StackConfig | None:
    with tempfile.NamedTemporaryFile(suffix=".yaml") as file:
        file.write(raw)
        file.flush()
        try:
            return config.load(Path(file.name))
        except ConfigError as error:
            return told(error)


@settings(max_examples=60, deadline=None)
@given(
    st.one_of(
        st.binary(max_size=200), st.text(max_size=200).map(lambda t: t.encode("utf-8", "replace"))
    )
)
@example(b"config:\n  mlops-infra:profile: " + b"9" * 5000)
@example(b"config:\n  mlops-infra:protect: .nan")
@example(b'config:\n  mlops-infra:environment: "\\ud800"')
@example(b'config:\n  mlops-infra:environment: "\\0"')
def test_no_bytes_do_worse_than_config_error(raw: bytes) -> None:
    loaded(raw)


KEYS = st.sampled_from(
    sorted(set(re.findall(r'"([A-Za-z-]{2,30})":', json.dumps(config.json_schema()))))
)
SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(max_size=5),
    st.sampled_from(["onprem", "aws", "external", "managed", "hardened", "built", "closed", "a"]),
)
TREES = st.recursive(
    SCALARS,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(st.one_of(KEYS, st.text(max_size=3)), inner, max_size=5),
    ),
    max_leaves=25,
)


@settings(max_examples=100, deadline=None)
@given(st.dictionaries(KEYS, TREES, max_size=8))
def test_no_plain_data_does_worse_than_config_error(values: dict[str, Any]) -> None:
    try:
        config.parse(values)
    except ConfigError as error:
        told(error)
    body = {f"mlops-infra:{key}": value for key, value in values.items()}
    loaded(yaml.safe_dump({"config": body}).encode())
