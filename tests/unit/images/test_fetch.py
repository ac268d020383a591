"""Packages arrive whole, whatever the mirror does, or the build says why not."""

import hashlib
import time
from pathlib import Path

import pytest

from mlops_infra.errors import OperationFailed
from mlops_infra.images import fetch
from mlops_infra.images.locks import Package
from mlops_infra.progress import quiet
from tests.unit.images.mirror import mirror

CONTENT = bytes(range(256)) * 40
PACKAGE = Package(
    name="sample",
    version="1",
    architecture="amd64",
    source="sample",
    section="debian",
    path="pool/main/s/sample_1.deb",
    size=len(CONTENT),
    sha256=hashlib.sha256(CONTENT).hexdigest(),
)


@pytest.fixture(autouse=True)
def plain(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A cache of its own, no apt, and no waiting between attempts."""
    monkeypatch.setenv("MLOPS_INFRA_CACHE", str(tmp_path))
    monkeypatch.setattr(fetch, "_APT_HELPER", tmp_path / "no-apt")
    monkeypatch.setattr(time, "sleep", lambda _seconds: None)


def get(monkeypatch: pytest.MonkeyPatch, url: str, snapshot: str = "") -> bytes:
    monkeypatch.setenv("MLOPS_INFRA_DEBIAN_MIRROR", url)
    monkeypatch.setattr(fetch, "SNAPSHOT", snapshot or f"{url}/snapshot")
    return fetch.fetch([PACKAGE], "20260101T000000Z", quiet)["sample"].read_bytes()


def test_a_broken_connection_is_resumed_where_it_broke(monkeypatch: pytest.MonkeyPatch) -> None:
    with mirror(CONTENT, "cut 4000", "503", "cut 1000", "ok") as server:
        assert get(monkeypatch, server.url) == CONTENT
    assert [wanted for _, wanted in server.asked] == [
        None,
        "bytes=4000-",
        "bytes=4000-",
        "bytes=5000-",
    ]


def test_what_is_in_the_cache_is_hashed_and_not_fetched_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with mirror(CONTENT, "ok", "ok") as server:
        get(monkeypatch, server.url)
        get(monkeypatch, server.url)
        assert len(server.asked) == 1
        kept = fetch.packages_folder() / f"{PACKAGE.sha256}.deb"
        kept.write_bytes(CONTENT[:-1] + b"x")
        assert get(monkeypatch, server.url) == CONTENT
        assert len(server.asked) == 2


def test_a_version_that_the_mirror_dropped_comes_from_the_snapshots(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with mirror(CONTENT, "404", "ok") as server:
        assert get(monkeypatch, server.url) == CONTENT
    assert server.asked[1][0] == "/snapshot/debian/20260101T000000Z/pool/main/s/sample_1.deb"


@pytest.mark.parametrize("answer", ["ok", "long"])
def test_another_package_under_the_locked_name_is_refused(
    monkeypatch: pytest.MonkeyPatch, answer: str
) -> None:
    with (
        mirror(CONTENT[::-1], answer, answer) as server,
        pytest.raises(OperationFailed, match="sample 1") as caught,
    ):
        get(monkeypatch, server.url)
    assert "lock" in (caught.value.where or "")
    assert not list(fetch.packages_folder().rglob("*.deb"))
