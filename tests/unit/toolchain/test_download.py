import hashlib
import random

import pytest

from mlops_infra.progress import Step, quiet
from mlops_infra.toolchain import download
from tests.unit.toolchain.server import serving

CONTENT = random.Random(1).randbytes(700_000)  # noqa: S311  the same in every run
SHA = hashlib.sha256(CONTENT).hexdigest()


def fetch(url: str, checksum: str = f"sha256:{SHA}"):
    return download.download(url, checksum, Step(quiet, "t", None, "bytes"))


def part(kit):
    return kit.store / "downloads" / f"sha256-{SHA}.part"


def test_a_lost_connection_is_continued_where_it_broke_off(kit):
    with serving(CONTENT) as (url, server):
        server.drop_after = [300_000, 200_000]
        file = fetch(url)
        assert file.read_bytes() == CONTENT
        assert server.asked == ["", "bytes=300000-", "bytes=500000-"]
    assert not part(kit).exists()


def test_what_a_killed_run_has_left_is_continued(kit):
    part(kit).parent.mkdir(parents=True)
    part(kit).write_bytes(CONTENT[:123_456])
    with serving(CONTENT) as (url, server):
        assert fetch(url).read_bytes() == CONTENT
        assert server.asked == ["bytes=123456-"]


def test_a_whole_part_is_not_fetched_again(kit):
    part(kit).parent.mkdir(parents=True)
    part(kit).write_bytes(CONTENT)
    with serving(CONTENT) as (url, _server):
        assert fetch(url).read_bytes() == CONTENT


def test_a_server_without_ranges_sends_the_whole_again(kit):
    part(kit).parent.mkdir(parents=True)
    part(kit).write_bytes(CONTENT[:1000])
    with serving(CONTENT) as (url, server):
        server.ranges = False
        assert fetch(url).read_bytes() == CONTENT


@pytest.mark.parametrize("left", [b"\0" * 1000, b"\0" * 800_000])
def test_a_wrong_part_does_not_spoil_the_download(kit, left):
    part(kit).parent.mkdir(parents=True)
    part(kit).write_bytes(left)
    with serving(CONTENT) as (url, _server):
        assert fetch(url).read_bytes() == CONTENT


def test_a_file_with_another_sha256_is_refused_and_removed(kit):
    refused = pytest.raises(download.DownloadError, match=f"pinned is {SHA}")
    with serving(CONTENT + b"!") as (url, _server), refused:
        fetch(url)
    assert list((kit.store / "downloads").iterdir()) == []


def test_a_sha512_is_checked_over_a_lost_connection_as_well(kit):
    pinned = hashlib.sha512(CONTENT).hexdigest()
    with serving(CONTENT) as (url, server):
        server.drop_after = [300_000]
        assert fetch(url, f"sha512:{pinned}").read_bytes() == CONTENT
        other = hashlib.sha512(b"").hexdigest()
        with pytest.raises(download.DownloadError, match=f"has sha512 {pinned}, pinned is {other}"):
            fetch(url, f"sha512:{other}")


def test_a_file_that_is_not_there_is_asked_for_once(kit):
    with serving(CONTENT) as (url, server):
        server.status = 404
        with pytest.raises(download.DownloadError, match="404"):
            fetch(url)
        assert len(server.asked) == 1


def test_a_server_in_trouble_is_asked_again_and_then_given_up(kit):
    with serving(CONTENT) as (url, server):
        server.status = 503
        with pytest.raises(download.DownloadError, match="503"):
            fetch(url)
        assert len(server.asked) == 4


def test_an_endless_file_is_cut_off(kit, monkeypatch):
    monkeypatch.setattr(download, "MAX_BYTES", 1000)
    refused = pytest.raises(download.DownloadError, match="sends over 0 MiB")
    with serving(CONTENT) as (url, _server), refused:
        fetch(url)


def test_a_host_that_does_not_answer_is_asked_once_for_all_files(kit, monkeypatch):
    waited = []

    def dropped(address, timeout):
        waited.append(address)
        raise TimeoutError

    monkeypatch.setattr("socket.create_connection", dropped)
    for _ in range(3):
        with pytest.raises(download.DownloadError, match=r"dead\.example cannot be reached"):
            fetch("https://dead.example/demo")
    assert waited == [("dead.example", 443)]
