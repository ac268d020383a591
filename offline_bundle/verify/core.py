"""The whole check of a bundle, in one file so that a reviewer can read it in one sitting.

1. The signature is that of the given key over the bytes of bundle.json. If not, nothing else is
   looked at: the list would be the forger's. Both files with the signature are there, whole and of
   one mind, or neither is.
2. bundle.json is well formed; all folders have the same one (`volumes.source`, `sealing.contents`).
3. Every file in every folder is in that list, is a regular file, has the listed size and sha256.
4. Every listed file is there: in one of the folders, in parts, or, for a difference, in its base.
5. The images refer to nothing that is not listed (`verify.closure`).
"""

from __future__ import annotations

import base64
import concurrent.futures
import hashlib
import json
import os
import stat
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from mlops_infra.errors import FoundError, InputError, OperationFailed
from mlops_infra.progress import Sink, Step, quiet, step
from offline_bundle import layout, lockfile
from offline_bundle.sealing import keys, signature
from offline_bundle.sealing.contents import Entry
from offline_bundle.verify import closure
from offline_bundle.volumes.images import incomplete
from offline_bundle.volumes.source import Folder, Piece, Source, open_source

SignatureState = Literal["good", "not checked", "none"]
_BLOCK = 1 << 20


class BundleDamaged(FoundError):
    """The bundle is not what was signed, or not whole."""


@dataclass(slots=True)
class Report:
    """What `verify` has seen."""

    identity: str
    """sha256 of bundle.json."""
    signature: SignatureState
    files: int = 0
    """Files that were hashed and are right."""
    size: int = 0
    """Bytes of them."""
    left_to_base: int = 0
    """Files of a difference that its base has; 0 where the base was given and has them."""
    findings: list[str] = field(default_factory=list)
    """One line each, beginning with the path of the file."""
    incomplete: dict[str, tuple[str, ...]] = field(default_factory=dict)
    """Images that cannot be had from these folders, with the labels of the volumes to fetch."""
    lacking: list[str] = field(default_factory=list)
    """What a stack needs and the bundle lacks; filled by who asks `verify.closure`."""

    def require_clean(self) -> None:
        """Raise `BundleDamaged` with the findings, or `NotClosed` with what is lacking."""
        if self.findings:
            told = f"findings in the bundle: {len(self.findings)}"
            hint = "get another copy of the files above; do not use this one"
            raise BundleDamaged(told, self.findings, hint=hint)
        if self.lacking:
            raise closure.NotClosed(self.lacking)


def verify(
    folders: Sequence[Path],
    *,
    key: Path | None,
    base: Sequence[Path] = (),
    partial: bool = False,
    sink: Sink = quiet,
) -> Report:
    """Check the bundle in `folders` (one, or volumes in any order) against the public key `key`.

    `partial`: what lies on volumes that are not given is reported as incomplete, not as missing.

    Raises:
        BundleDamaged: signature or list cannot be trusted, so that nothing else was looked at.
        InputError, MissingError: there is no bundle, or no such key.
    """
    state, unsound = _check_signatures(folders, key)
    try:
        source = open_source(folders, base=base)
    except FoundError as error:
        raise BundleDamaged(error.what, error.findings, hint=error.hint) from error
    except InputError as error:
        if not all((folder / layout.BUNDLE).is_file() for folder in folders):
            raise
        raise BundleDamaged(error.what, [error.what], hint="get another copy") from error
    report = Report(source.identity, state)
    report.findings += unsound
    for folder in source.folders[: len(folders)]:
        report.findings += _strangers(folder, source)
    _hash_all(source, len(folders), report, sink)
    _account_for_missing(source, report, partial, bool(base))
    if not report.findings:
        try:
            lock = lockfile.parse_lock(source.read(_lock(source)).decode())
            report.findings += closure.structural(source, lock)
        except (InputError, OperationFailed) as error:
            report.findings.append(f"{error.where or layout.LOCK}: {error.what}")
        except FoundError as error:
            report.findings += error.findings
    return report


def _lock(source: Source) -> Entry:
    if layout.LOCK not in source.contents.by_path:
        raise FoundError("no lock", [f"{layout.LOCK}: not in {layout.BUNDLE}"])
    return source.contents.by_path[layout.LOCK]


def _check_signatures(
    folders: Sequence[Path], key: Path | None
) -> tuple[SignatureState, list[str]]:
    """Whose the list is, and what is wrong with the two files that say so."""
    public = keys.read_public(key) if key else None
    states: set[SignatureState] = set()
    problems: list[str] = []
    for folder in folders:
        raw, text = _bytes(folder / layout.BUNDLE), _bytes(folder / layout.SIGNATURE)
        document = _bytes(folder / layout.SIGSTORE)
        if raw is None:
            continue  # open_source says what is wrong
        wrong = list(_wrong_signatures(raw, text, document))
        if public is not None and not signature.is_good(raw, text or b"", public):
            why = "not signed with this key, or changed since" if text else "not signed"
            _refuse(folder / layout.BUNDLE, why, wrong)
        prefix = f"{folder}/" if len(folders) > 1 else ""
        problems += [f"{prefix}{line}" for line in wrong]
        unsigned = text is None and document is None
        states.add("good" if public else "none" if unsigned else "not checked")
    state: SignatureState = "not checked" if "not checked" in states else "good"
    return "none" if "none" in states else state, problems


def _wrong_signatures(raw: bytes, text: bytes | None, document: bytes | None) -> Iterator[str]:
    """What can be said of the two files without a key; nothing of a bundle that has neither."""
    if text is None and document is None:
        return
    if text is None:
        yield f"{layout.SIGNATURE}: missing, {layout.SIGSTORE} is there"
    elif not signature.is_whole(text):
        yield f"{layout.SIGNATURE}: truncated or damaged"
    if document is None:
        yield f"{layout.SIGSTORE}: missing, {layout.SIGNATURE} is there"
    elif not _agrees(document, raw, text):
        yield f"{layout.SIGSTORE}: does not match the list and its signature"


def _agrees(document: bytes, raw: bytes, text: bytes | None) -> bool:
    try:
        message = json.loads(document)["messageSignature"]
        digest = base64.b64decode(message["messageDigest"]["digest"])
        same = message["signature"] == (text or b"").decode().strip()
        return bool(same and digest == hashlib.sha256(raw).digest())
    except (ValueError, KeyError, TypeError):
        return False


def _refuse(file: Path, why: str, more: Sequence[str]) -> None:
    findings = [f"{file.name}: {why}", *more]
    raise BundleDamaged(
        f"{file}: {why}", findings, hint="do not use this bundle; get another copy of it"
    )


def _bytes(file: Path) -> bytes | None:
    return file.read_bytes() if file.is_file() else None


def _strangers(folder: Folder, source: Source) -> Iterator[str]:
    """What lies in a folder and is not in the list, or is no regular file."""
    parts = folder.header.paths if folder.header else frozenset()
    known = source.contents.by_path.keys() | layout.UNLISTED
    for name, folders, files in os.walk(folder.path):
        for each in (*folders, *files):
            file = Path(name) / each
            path = file.relative_to(folder.path).as_posix()
            mode = file.lstat().st_mode
            if not stat.S_ISREG(mode) and not stat.S_ISDIR(mode):
                yield f"{path}: not a regular file (a link may lead anywhere)"
            elif stat.S_ISDIR(mode) and path == layout.WORK:
                yield f"{path}: the build of this bundle is not finished"
            elif stat.S_ISREG(mode) and path not in known and path not in parts:
                yield f"{path}: not in {layout.BUNDLE}"


def _hash_all(source: Source, own: int, report: Report, sink: Sink) -> None:
    work_list = list(_work(source, own))
    total = sum(size for _, _, _, size in work_list)
    with (
        step(sink, "Hashing the bundle", total=total, unit="bytes") as work,
        concurrent.futures.ThreadPoolExecutor(os.cpu_count() or 1) as pool,
    ):
        # the largest first, so that no thread is left with one at the end
        for name, size, problem in pool.map(
            lambda item: (item[0], item[3], _wrong(item[1], item[2], work)),
            sorted(work_list, key=lambda item: -item[3]),
        ):
            if problem:
                report.findings.append(f"{name}: {problem}")
            else:
                report.files, report.size = report.files + 1, report.size + size
    report.findings.sort()


def _work(source: Source, own: int) -> Iterator[tuple[str, tuple[Piece, ...], str, int]]:
    """Name, bytes, expected sha256 and size of everything that can be hashed here."""
    several = len(source.folders) > 1
    left = _left_to_base(source)
    for entry in source.contents.entries:
        for folder in source.folders[:own] if entry.path not in left else source.folders:
            file = folder.path / entry.path
            if file.is_file() and not file.is_symlink():
                name = str(file) if several else entry.path
                yield name, (Piece(file, 0, entry.size),), entry.sha256, entry.size
        pieces = source.pieces(entry) if source.has(entry) else ()
        if len(pieces) > 1:
            yield entry.path, pieces, entry.sha256, entry.size
    for folder in source.folders[:own]:
        parts = folder.header.volumes[folder.header.number - 1].chunks if folder.header else ()
        for chunk in parts:
            file = folder.path / chunk.file
            yield str(file), (Piece(file, 0, chunk.size),), chunk.sha256, chunk.size


def _wrong(pieces: tuple[Piece, ...], sha256: str, work: Step) -> str | None:
    digest, buffer = hashlib.sha256(), memoryview(bytearray(_BLOCK))
    for piece in pieces:
        try:
            found = piece.file.stat().st_size
            if found != piece.length:
                return f"has {found} bytes, listed are {piece.length}"
            with piece.file.open("rb", buffering=0) as opened:
                while count := opened.readinto(buffer):
                    digest.update(buffer[:count])
                    work.advance(count)
        except OSError as error:
            return f"cannot be read: {error.strerror}"
    found_sha = digest.hexdigest()
    return None if found_sha == sha256 else f"has sha256 {found_sha}, listed is {sha256}"


def _left_to_base(source: Source) -> set[str]:
    return {path for folder in source.folders if folder.delta for path in folder.delta.absent}


def _account_for_missing(source: Source, report: Report, partial: bool, based: bool) -> None:
    absent, damaged = _left_to_base(source), tuple(report.findings)
    for entry in source.missing:
        if any(line.startswith(entry.path) for line in damaged):
            continue  # it is there, though not as it was
        labels = source.labels_of(entry.path)
        if entry.path in absent and not labels:
            report.left_to_base += 1
            if based:
                report.findings.append(f"{entry.path}: the given base does not have it")
        elif not (partial and labels):
            where = f": it is on volume {', '.join(labels)}" if labels else ""
            report.findings.append(f"{entry.path}: missing{where}")
    if not damaged:  # else a manifest may be none
        for name, paths in incomplete(source).items():
            labels = tuple(sorted({label for path in paths for label in source.labels_of(path)}))
            if labels:
                report.incomplete[name] = labels
