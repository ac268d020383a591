"""Pages of package indexes as servers write them."""

from __future__ import annotations

import json

import pytest

from offline_bundle.discover.index_page import Listed, read

SHA = "ab" * 32
PAGE = "https://index.example/real/simple/demo/"
FILE = "demo-1.0-py3-none-any.whl"


@pytest.mark.parametrize(
    "fragment",
    [
        f"#sha256={SHA}",
        f"#sha256={SHA.upper()}",
        f"#SHA256={SHA}",
        f"#egg=demo&amp;sha256={SHA}",
        f"#md5={'c' * 32}&sha256={SHA}&subdirectory=x",
    ],
)
def test_the_hash_is_found_however_it_is_written(fragment: str) -> None:
    page = f'<a href="../../files/{FILE}{fragment}">x</a>'.encode()
    assert read(PAGE, page) == [Listed(FILE, f"https://index.example/real/files/{FILE}", SHA)]


@pytest.mark.parametrize("fragment", ["", "#sha256=abc", f"#md5={'c' * 32}", f"#sha256={SHA}ff"])
def test_what_is_no_sha256_is_none(fragment: str) -> None:
    (found,) = read(PAGE, f'<a href="{FILE}{fragment}">x</a>'.encode())
    assert found.sha256 is None


def test_links_begin_at_the_base_that_a_page_names() -> None:
    page = f'<head><base href="/mirror/"><base href="/no/"></head><a href="f/{FILE}">x</a>'
    (found,) = read(PAGE, page.encode())
    assert found.url == f"https://index.example/mirror/f/{FILE}"


@pytest.mark.parametrize("hashes", [{"sha256": SHA}, {"SHA256": SHA.upper(), "md5": "c"}])
def test_json_has_the_same(hashes: dict[str, str]) -> None:
    page = json.dumps({"files": [{"filename": FILE, "url": f"../x/{FILE}#x", "hashes": hashes}]})
    (found,) = read(PAGE, page.encode())
    assert found == Listed(FILE, f"https://index.example/real/simple/x/{FILE}", SHA)
