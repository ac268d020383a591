"""Published pipelines on the platform's S3 gateway: numbered, unchanging, whole."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from mlops_infra.errors import InputError, OperationFailed
from mlops_infra.lifecycle.data import storage
from mlops_infra.lifecycle.pipeline.definition.model import Pipeline
from mlops_infra.lifecycle.pipeline.definition.places import code_object
from mlops_infra.lifecycle.pipeline.source.file import SourceFile
from mlops_infra.lifecycle.pipeline.source.user_pipeline import compile_file
from mlops_infra.lifecycle.pipeline.submission import published
from mlops_infra.lifecycle.services.credentials import Login
from mlops_infra.lifecycle.services.environment import Environment
from mlops_infra.lifecycle.services.object_store import s3_client
from tests.engine import object_gateway

ROOT = Login("root", "secret-of-root")
CODE = """
from mlops_infra.pipelines import step

@step
def number(least: int = {least}) -> dict:
    return {{"number": least}}
"""


@pytest.fixture
def around(tmp_path: Path) -> Iterator[Environment]:
    with object_gateway.started(tmp_path, ROOT) as endpoint:
        s3_client(endpoint, ROOT).create_bucket(Bucket="tenant-demo")
        yield Environment(
            object_endpoint=endpoint, objects=ROOT, bucket="tenant-demo", tenant="demo"
        )


def pipeline(least: int, name: str = "numbers") -> Pipeline:
    source = SourceFile("numbers.py", CODE.format(least=least))
    return compile_file(source, name=name, commit=f"c0ffee{least}")


def default(reference: str, around: Environment) -> object:
    return published.read(reference, around).parameter("least").default


def test_versions_are_counted_and_none_changes(around: Environment) -> None:
    first, new = published.publish(pipeline(1), around)
    assert (str(first), new) == ("numbers@1", True)
    assert published.publish(pipeline(1), around) == (first, False)
    assert str(published.publish(pipeline(2), around)[0]) == "numbers@2"
    # back to what it was is a step forward
    assert str(published.publish(pipeline(1), around)[0]) == "numbers@3"
    told = [(str(each), each.commit) for each in published.versions(around)]
    assert told == [
        ("numbers@1", "c0ffee1"),
        ("numbers@2", "c0ffee2"),
        ("numbers@3", "c0ffee1"),
    ]
    assert default("numbers@2", around) == 2
    assert default("numbers", around) == 1
    assert published.read("numbers@2", around).commit == "c0ffee2"


def test_names_that_begin_alike_are_apart_and_numbers_are_no_words(around: Environment) -> None:
    for least in range(1, 12):
        published.publish(pipeline(least), around)
    published.publish(pipeline(40, "numbers-more"), around)
    assert default("numbers", around) == 11, "10 and 11 come after 9"
    assert default("numbers-more@1", around) == 40
    assert len(published.versions(around)) == 12


def test_of_people_who_publish_at_one_moment_nobody_is_lost(around: Environment) -> None:
    made = [pipeline(least) for least in range(8)]
    with ThreadPoolExecutor(8) as pool:
        got = list(pool.map(lambda each: published.publish(each, around)[0], made))
    assert Counter(each.version for each in got) == Counter(range(1, 9))
    assert {default(str(each), around) for each in got} == set(range(8))


def test_code_that_was_changed_by_hand_is_not_run(around: Environment) -> None:
    version, _ = published.publish(pipeline(1), around)
    storage.write(code_object(version.sha256), CODE.format(least=7).encode(), around)
    with pytest.raises(OperationFailed, match="the code of numbers@1 is not what was published"):
        published.read("numbers", around)


@pytest.mark.parametrize(
    "written", [b"", b"{", b"[]", b'{"format": 2}', b'{"format": 1, "name": "numbers"}']
)
def test_a_description_that_is_none_is_named(around: Environment, written: bytes) -> None:
    version, _ = published.publish(pipeline(1), around)
    storage.write(version.place, written, around)
    with pytest.raises(OperationFailed) as caught:
        published.read("numbers", around)
    assert "numbers@1" in str(caught.value)


@pytest.mark.parametrize(
    ("reference", "what"),
    [
        ("numbers@2", "has no version 2"),
        ("nothing", "published are: numbers"),
        ("numbers@0", "no such pipeline"),
        ("../numbers", "no such pipeline"),
    ],
)
def test_what_is_not_published_is_told(around: Environment, reference: str, what: str) -> None:
    published.publish(pipeline(1), around)
    with pytest.raises(InputError) as caught:
        published.read(reference, around)
    assert what in str(caught.value)


def test_a_built_in_name_stays_built_in(around: Environment) -> None:
    with pytest.raises(InputError, match="built-in"):
        published.publish(replace(pipeline(1), name="tabular-regression"), around)
