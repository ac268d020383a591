"""The pull half of the OCI distribution API (distribution-spec 1.1).

Only what `catalogue` lists can be asked for, so no name leads to a file outside of the bundle.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from offline_bundle.serve.answers import Answer, Request, document, problem
from offline_bundle.serve.catalogue import Catalogue, Repository
from offline_bundle.serve.plain import whole_or_part
from offline_bundle.volumes import Source

PREFIX = "/v2/"
_INDEX_TYPE = "application/vnd.oci.image.index.v1+json"
_DIGEST = re.compile(r"sha256:[0-9a-f]{64}|sha512:[0-9a-f]{128}")
_FORMS = re.compile(
    r"(?P<name>[^?]+?)/(?:(?P<what>manifests|blobs|referrers)/(?P<target>[^/]+)|tags/list)"
)
_LIKE_A_DIGEST = re.compile(r"[A-Za-z0-9_+.-]+:.*")
MAX_PAGE = 1000


def answer(source: Source, catalogue: Catalogue, asked: Request) -> Answer:
    """Answer what is below `/v2/`.

    Raises:
        FoundError, MissingError: a file of the bundle changed, or its medium was removed.
    """
    path = asked.path.removeprefix(PREFIX)
    if path in ("", PREFIX.rstrip("/")):
        return document({})
    if path == "_catalog":
        return _page(asked, "repositories", list(catalogue.repositories), {})
    form = _FORMS.fullmatch(path)
    if form is None:
        return problem(404, "UNSUPPORTED", "no such endpoint")
    name = form["name"]
    repository = catalogue.find(name, asked.query.get("ns"))
    if repository is None:
        return problem(404, "NAME_UNKNOWN", "the bundle has no such repository")
    match form["what"]:
        case "manifests":
            return _manifest(source, repository, form["target"], asked)
        case "blobs":
            return _blob(source, repository, form["target"], asked)
        case "referrers":
            return _referrers(repository, form["target"], asked)
    return _page(asked, "tags", sorted(repository.tags), {"name": name})


def _manifest(source: Source, repository: Repository, target: str, asked: Request) -> Answer:
    digest = target if _DIGEST.fullmatch(target) else repository.tags.get(target)
    kind = repository.manifests.get(digest or "")
    entry = source.contents.blob(digest) if digest else None
    if digest is None or kind is None or entry is None or not source.has(entry):
        if digest is None and _LIKE_A_DIGEST.fullmatch(target):
            return problem(400, "DIGEST_INVALID", "not a digest")
        return problem(404, "MANIFEST_UNKNOWN", "the bundle has no such manifest")
    tag = f'"{digest}"'
    headers = {"Content-Type": kind, "Docker-Content-Digest": digest, "ETag": tag}
    if asked.headers.get("If-None-Match") == tag:
        return Answer(304, headers=headers)
    return Answer(200, source.read(entry), headers)


def _blob(source: Source, repository: Repository, digest: str, asked: Request) -> Answer:
    if not _DIGEST.fullmatch(digest):
        return problem(400, "DIGEST_INVALID", "not a digest")
    entry = source.contents.blob(digest)
    known = digest in repository.blobs or digest in repository.manifests
    if not known or entry is None or not source.has(entry):
        return problem(404, "BLOB_UNKNOWN", "the bundle has no such blob")
    return whole_or_part(source, entry, asked, {"Docker-Content-Digest": digest})


def _referrers(repository: Repository, digest: str, asked: Request) -> Answer:
    if not _DIGEST.fullmatch(digest):
        return problem(400, "DIGEST_INVALID", "not a digest")
    found = [each for _, each in sorted(repository.referrers.get(digest, {}).items())]
    headers = {"Content-Type": _INDEX_TYPE}
    if kind := asked.query.get("artifactType"):
        found = [each for each in found if each.get("artifactType") == kind]
        headers["OCI-Filters-Applied"] = "artifactType"
    index = {"schemaVersion": 2, "mediaType": _INDEX_TYPE, "manifests": found}
    return document(index, headers)


def _page(asked: Request, key: str, names: Sequence[str], more: dict[str, str]) -> Answer:
    """A list in pages of `n`, after `last`; the next page is told in `Link` (RFC 5988)."""
    last, count = asked.query.get("last"), asked.query.get("n", "")
    left = [name for name in names if last is None or name > last]
    size = min(int(count), MAX_PAGE) if count.isascii() and count.isdigit() else len(left)
    shown, headers = left[:size], {}
    if shown and len(left) > len(shown):
        headers["Link"] = f'<?n={size}&last={shown[-1]}>; rel="next"'
    return document({**more, key: shown}, headers)
