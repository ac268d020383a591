"""What a manifest is, is read from its content, whatever the header says."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from offline_bundle import layout, manifests
from offline_bundle.layout import INDEX_TYPES, MANIFEST_TYPES

DIGEST = "sha256:" + "ab" * 32
HEADERS = st.sampled_from(
    ["text/plain", "application/octet-stream", "application/json", "", "text/html", "x/y"]
)
ANY = st.one_of(HEADERS, st.sampled_from(sorted(MANIFEST_TYPES | INDEX_TYPES)))


def described(kind: str) -> dict[str, Any]:
    return {"mediaType": kind, "digest": DIGEST, "size": 3}


IMAGE: dict[str, Any] = {
    "schemaVersion": 2,
    "config": described("application/vnd.oci.image.config.v1+json"),
    "layers": [described("application/vnd.oci.image.layer.v1.tar")],
}
DOCKER = {**IMAGE, "config": described("application/vnd.docker.container.image.v1+json")}
INDEX = {"schemaVersion": 2, "manifests": [described(layout.MANIFEST_TYPE)]}
ARTIFACT = {"artifactType": "a/b", "blobs": [described("a/b")], "subject": described("c/d")}


@given(st.sampled_from(sorted(MANIFEST_TYPES | INDEX_TYPES)), ANY)
def test_what_the_content_states_counts(stated: str, header: str) -> None:
    content = json.dumps({**IMAGE, "mediaType": stated}).encode()
    assert manifests.media_type(content, header) == stated


@given(HEADERS)
def test_without_a_statement_its_members_count(header: str) -> None:
    for document, kind in (
        (IMAGE, layout.MANIFEST_TYPE),
        (DOCKER, layout.DOCKER_MANIFEST_TYPE),
        (INDEX, layout.INDEX_TYPE),
        (ARTIFACT, layout.ARTIFACT_TYPE),
    ):
        assert manifests.media_type(json.dumps(document).encode(), header) == kind


@given(ANY)
def test_no_header_makes_an_index_of_a_manifest_or_the_reverse(header: str) -> None:
    assert manifests.media_type(json.dumps(INDEX).encode(), header) in INDEX_TYPES
    assert manifests.media_type(json.dumps(IMAGE).encode(), header) in MANIFEST_TYPES


@given(st.one_of(st.binary(max_size=40), st.text(max_size=40).map(str.encode)), HEADERS)
def test_what_is_no_manifest_is_never_an_error_here(content: bytes, header: str) -> None:
    assert isinstance(manifests.media_type(content, header), str)
    assert manifests.listed(content) is None or content.startswith(b"{")
    assert manifests.subject_of(content) is None


@pytest.mark.parametrize(
    ("kind", "carried"),
    [
        ("application/vnd.docker.image.rootfs.diff.tar.gzip", True),
        ("application/vnd.docker.image.rootfs.foreign.diff.tar.gzip", False),
        ("application/vnd.docker.image.rootfs.foreign.diff.tar", False),
        ("application/vnd.oci.image.layer.v1.tar+zstd", True),
        ("application/vnd.oci.image.layer.nondistributable.v1.tar", False),
        ("application/vnd.oci.image.layer.nondistributable.v1.tar+gzip", False),
        ("application/vnd.oci.image.layer.nondistributable.v1.tar+zstd", False),
        ("application/vnd.example.foreigner.v1", True),
        ("application/vnd.in-toto+json", True),
    ],
)
def test_layers_that_must_not_be_distributed_are_left_out(kind: str, carried: bool) -> None:
    content = json.dumps({**IMAGE, "layers": [described(kind)]}).encode()
    parsed = manifests.parse(content, where="test")
    assert (len(parsed.blobs) == 2) is carried
    assert (parsed.foreign == ()) is carried
