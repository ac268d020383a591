"""Values by the rules of who reads them: quantities, buckets, zones, schedules of AWS, types."""

from __future__ import annotations

import contextlib
import re
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from mlops_infra import config
from mlops_infra.config.aws.schedules import parse_cron
from mlops_infra.config.aws.values import data_type, lake_path
from mlops_infra.config.language import quantities, schedules
from mlops_infra.config.language.buckets import bucket_name
from mlops_infra.config.language.invalid import InvalidValueError
from mlops_infra.errors import ConfigError

# --- quantities

UNITS = {
    "n": "1e-9", "u": "1e-6", "m": "1e-3", "": "1", "k": "1e3", "M": "1e6", "G": "1e9",
    "T": "1e12", "P": "1e15", "E": "1e18", "Ki": "1024", "Mi": str(1024**2), "Gi": str(1024**3),
    "Ti": str(1024**4), "Pi": str(1024**5), "Ei": str(1024**6),
}  # fmt: skip
NUMBERS = st.one_of(
    st.integers(0, 10**6).map(str),
    st.tuples(st.integers(0, 999), st.integers(0, 999)).map(lambda p: f"{p[0]}.{p[1]:03}"),
    st.integers(0, 99).map(lambda n: f".{n}"),
    st.integers(0, 99).map(lambda n: f"{n}."),
)
SUFFIXES = st.one_of(st.sampled_from(sorted(UNITS)), st.integers(-9, 18).map(lambda n: f"e{n}"))


@given(NUMBERS, SUFFIXES)
def test_a_quantity_means_what_kubernetes_means(number: str, suffix: str) -> None:
    unit = UNITS.get(suffix) or f"1{suffix}"
    value = Fraction(Decimal(number)) * Fraction(Decimal(unit))
    assert quantities.parse(f"{number}{suffix}") == value


@given(st.text(alphabet="0123456789.-+eEnumkKMGTPi \u0661", max_size=12))
@example("-1")
@example("1 Gi")
@example("1K")
@example("1e")
@example("")
def test_what_kubernetes_does_not_take_is_no_quantity(text: str) -> None:
    grammar = r"([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][+-]?[0-9]{1,2}|[numkMGTPE]|[KMGTPE]i)?"
    try:
        quantities.parse(text)
    except InvalidValueError:
        assert not re.fullmatch(grammar, text)
    else:
        assert re.fullmatch(grammar, text)


def quota(**values: str) -> config.StackConfig:
    return config.parse(
        {
            "profile": "onprem",
            "environment": "test",
            "cluster": {"embedded": True},
            "tenants": {"a": {"quota": values}},
        }
    )


@given(NUMBERS, SUFFIXES)
def test_an_amount_that_passes_is_one_that_charts_take(number: str, suffix: str) -> None:
    text = f"{number}{suffix}"
    with contextlib.suppress(ConfigError):
        passed = quota(cpu=text).tenants["a"].quota.cpu
        assert passed is not None
        assert re.fullmatch(r"[0-9]+(\.[0-9]+)?(m|k|M|G|T|Ki|Mi|Gi|Ti)?", passed)
        assert quantities.parse(quantities.doubled(passed)) == 2 * quantities.parse(text)


@pytest.mark.parametrize(
    ("key", "text", "told"),
    [
        ("cpu", "0.0001", "steps of 1m"),
        ("cpu", "0", "steps of 1m"),
        ("cpu", "5e-1", "write 500m"),
        ("cpu", ".5", "write 500m"),
        ("memory", "128m", "did you mean 128Gi"),
        ("memory", "1e9", "write 1G"),
        ("storage", "1Pi", "write 1024Ti"),
        ("storage", "5", "did you mean 5Gi"),
    ],
)
def test_a_quantity_that_is_refused_comes_with_one_that_is_not(
    key: str, text: str, told: str
) -> None:
    with pytest.raises(ConfigError) as caught:
        quota(**{key: text})
    (problem,) = caught.value.problems
    assert told in f"{problem.message} {problem.suggestion}"


@pytest.mark.parametrize("cpu", ["0.5", "500m", "8", "1.25"])
def test_parts_of_a_core_pass(cpu: str) -> None:
    assert quota(cpu=cpu).tenants["a"].quota.cpu == cpu


# --- buckets


def s3_takes(name: str) -> bool:
    """The rules of the S3 user guide, one by one."""
    labels = name.split(".")
    return (
        3 <= len(name) <= 63
        and all(c in "abcdefghijklmnopqrstuvwxyz0123456789.-" for c in name)
        and name[0] not in ".-"
        and name[-1] not in ".-"
        and all(label and label[0] != "-" and label[-1] != "-" for label in labels)
        and not (len(labels) == 4 and all(label.isdigit() for label in labels))
        and not name.startswith(("xn--", "sthree-", "amzn-s3-demo-"))
        and not name.endswith(("-s3alias", "--ol-s3", ".mrap", "--x-s3", "--table-s3"))
    )


@given(
    st.one_of(
        st.text(alphabet="ab1.-A_\u0661", max_size=66),
        st.lists(st.integers(0, 300).map(str), min_size=3, max_size=5).map(".".join),
        st.tuples(
            st.sampled_from(["xn--", "sthree-", "amzn-s3-demo-", "a"]),
            st.text(alphabet="ab-.", max_size=8),
            st.sampled_from(["-s3alias", "--ol-s3", ".mrap", "--x-s3", "--table-s3", "z"]),
        ).map("".join),
    )
)
@example("192.168.0.1")
@example("999.1.1.1")
@example("tenant-a-s3alias")
def test_a_bucket_passes_where_s3_takes_it(name: str) -> None:
    try:
        bucket_name(name)
    except InvalidValueError:
        assert not s3_takes(name)
    else:
        assert s3_takes(name)


# --- time zones


@pytest.mark.parametrize("name", ["UTC", "Asia/Seoul", "America/Argentina/Ushuaia"])
def test_a_zone_of_the_database_passes(name: str) -> None:
    assert schedules.zone(name).key == name


@pytest.mark.parametrize("name", ["Asia/Soul", "asia/seoul", "localtime", "posix/UTC", "../x", ""])
def test_what_is_no_zone_everywhere_is_refused(name: str) -> None:
    with pytest.raises(InvalidValueError, match="no such time zone"):
        schedules.zone(name)


# --- schedules of AWS


@pytest.mark.parametrize(
    "text",
    [
        "cron(0 2 * * ? *)",
        "cron(15 10 ? * 6L 2022-2030)",
        "cron(0 18 ? * MON-FRI *)",
        "cron(0/5 8-17 ? * MON,WED *)",
        "cron(0 8 1 * ? *)",
        "cron(0 9 ? * 2#1 *)",
        "cron(0 9 L * ? *)",
        "cron(0 9 3W JAN-MAR ? *)",
        "cron(0 0 29 2 ? *)",
    ],
)
def test_what_aws_documents_passes(text: str) -> None:
    parse_cron(text)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("cron(0 2 * * *)", "5 fields"),
        ("cron(0 2 * * * *)", "exactly one"),
        ("cron(0 2 ? * ? *)", "exactly one"),
        ("cron(60 2 * * ? *)", "minute 60"),
        ("cron(0 24 * * ? *)", "hour 24"),
        ("cron(0 2 32 * ? *)", "day of month 32"),
        ("cron(0 2 ? * 0 *)", "day of week 0"),
        ("cron(0 2 ? * mon *)", "not a valid day of week"),
        ("cron(0 2 ? * 2#6 *)", "not a valid day of week"),
        ("cron(0 2 ? * 2#1,3#1 *)", "stands alone"),
        ("cron(0 2 30 2 ? *)", "never comes"),
        ("cron(0 2 29 FEB ? 2027)", "never comes"),
        ("cron(0/0 2 * * ? *)", "step of 0"),
        ("cron(0 22-2 * * ? *)", "ends before"),
        ("cron(0 2 * * ? 1969)", "year 1969"),
        ("cron(0 2W * * ? *)", "not a valid hour"),
    ],
)
def test_what_aws_refuses_is_told(text: str, told: str) -> None:
    with pytest.raises(InvalidValueError, match=told):
        parse_cron(text)


@given(st.text(alphabet="0123456789*/,-?LW# SUNMO", max_size=40))
def test_any_schedule_of_aws_is_read_or_refused(text: str) -> None:
    with contextlib.suppress(InvalidValueError):
        parse_cron(f"cron({text})")


# --- Glue

SIMPLE = st.sampled_from(["string", "bigint", "double", "date", "decimal(10,2)", "decimal(38)"])
TYPES = st.recursive(
    SIMPLE,
    lambda inner: st.one_of(
        inner.map(lambda t: f"array<{t}>"),
        st.tuples(inner, inner).map(lambda t: f"map<{t[0]},{t[1]}>"),
        st.lists(inner, min_size=1, max_size=3).map(
            lambda ts: f"struct<{','.join(f'f{n}:{t}' for n, t in enumerate(ts))}>"
        ),
    ),
    max_leaves=6,
)


@given(TYPES)
def test_a_type_of_any_depth_passes(text: str) -> None:
    assert data_type(text) == text


@given(TYPES, st.data())
def test_a_type_with_a_letter_less_is_refused(text: str, data: st.DataObject) -> None:
    place = data.draw(st.integers(0, len(text) - 1).filter(lambda n: text[n] in "<>(:gi"))
    with pytest.raises(InvalidValueError):
        data_type(text[:place] + text[place + 1 :])


@pytest.mark.parametrize(
    "text",
    ["decimal(39)", "decimal(0)", "decimal(5,6)", "map<string>", "array<a,b>", "struct<int>"],
)
def test_a_type_that_glue_lacks_is_refused(text: str) -> None:
    with pytest.raises(InvalidValueError):
        data_type(text)


@pytest.mark.parametrize("path", ["raw//a", "raw/../b", "raw/./a", "raw/a/", "raw/a/.."])
def test_a_part_of_a_path_names_something(path: str) -> None:
    with pytest.raises(InvalidValueError):
        lake_path(path)


# --- every key of the schema


def leaves(schema: dict[str, Any]) -> list[tuple[str, str, dict[str, Any]]]:
    """Section, key and type of every text of the configuration."""
    sections = {**schema["$defs"], "": {"properties": schema["properties"]["config"]["properties"]}}
    return [
        (name, key, each)
        for name, section in sections.items()
        for key, body in section.get("properties", {}).items()
        for each in (body, *body.get("anyOf", ()))
        if each.get("type") == "string"
    ]


@pytest.mark.parametrize(
    ("words", "formats"),
    [
        (r"schedule|materialize|cron", {"cron", "aws-schedule"}),
        (r"timezone|zone$", {"time-zone"}),
        (r"bucket", {"bucket"}),
    ],
)
def test_every_key_of_a_kind_has_the_one_type_of_it(words: str, formats: set[str]) -> None:
    found = [
        (f"{section}.{key}", each.get("format"))
        for section, key, each in leaves(config.json_schema())
        if re.search(words, key, re.IGNORECASE)
    ]
    assert found
    assert [where for where, kind in found if kind not in formats] == []
