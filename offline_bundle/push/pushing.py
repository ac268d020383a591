"""One push: ask, plan, upload and mount, put manifests, put tags, write the receipt.

Tags come last of all, so that a push that was cut off is invisible. Nothing is copied or unpacked
on this side, and the media are only read.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from mlops_infra.errors import FoundError
from mlops_infra.progress import Sink, Step, quiet, step
from mlops_infra.transport import HttpError
from offline_bundle.push import receipt as receipts
from offline_bundle.push import targets
from offline_bundle.push.manifests import Putter
from offline_bundle.push.planning import Action, Plan, ask, plan
from offline_bundle.push.receipt import Receipt
from offline_bundle.push.targets import Target
from offline_bundle.push.turnstile import Turnstile
from offline_bundle.push.uploading import Uploader
from offline_bundle.push.wanted import Root, roots
from offline_bundle.registry import Notes, Registry, Settings
from offline_bundle.volumes import Source, open_source
from offline_bundle.volumes import images as contained
from offline_bundle.volumes.staging import forget_parts, keep_parts


@dataclass(frozen=True, slots=True)
class Pushed:
    """What a push has done, or would do."""

    actions: tuple[Action, ...]
    """Everything that changes the registry, in order; the same for a dry run and the run."""
    incomplete: dict[str, tuple[str, ...]]
    """Images that could not be put, with the volumes to bring or the digests that lack."""
    receipt: Receipt | None
    """None for a dry run."""
    notes: tuple[str, ...] = ()
    """What the registry refused and the push did without, one sentence each."""

    @property
    def uploaded(self) -> int:
        """Bytes that went to the registry as blobs."""
        return sum(action.size for action in self.actions if action.kind == "upload")


def push(
    folders: Sequence[Path],
    registry: str,
    *,
    settings: Settings,
    base: Sequence[Path] = (),
    partial: bool = False,
    staging: Path | None = None,
    dry_run: bool = False,
    key: Path | None = None,
    receipt: Path | None = None,
    sink: Sink = quiet,
) -> Pushed:
    """Push the bundle in `folders` to `registry` (`HOST[:PORT][/PREFIX]`).

    Args:
        partial: take what lies on the volumes that are given; images that lack something are
            reported, not refused. The push of the last volume puts the rest.
        staging: with `partial`: where parts of blobs larger than a volume are kept until the others
            come. Removed with the push that completes them.
        key: private key that signs the receipt.
        receipt: file to write the receipt to.

    Raises:
        FoundError: without `partial`: what neither the bundle nor the registry has (a lost volume,
            a wrong base), before anything is written; or a damaged blob.
        RegistryError, OSError, http.client.HTTPException: the registry or the connection.
    """
    source = open_source(folders, base=base, staging=staging)
    target = targets.parse(registry)
    client = Registry(target.host, settings)
    notes = Notes()
    try:
        wanted = roots(source, target)
        turnstile = Turnstile(client.concurrency)
        with step(sink, f"Asking {target.host}", total=len(wanted), unit="images") as work:
            made = plan(source, wanted, ask(client, turnstile, wanted, notes))
            work.advance(len(wanted))
        incomplete = _incomplete(source, wanted, made)
        if incomplete and not partial:
            _refuse(incomplete)
        if dry_run:
            return Pushed(made.actions, incomplete, None, notes.lines())
        named = _run(client, turnstile, source, made, notes, sink)
    finally:
        client.close()
    left_out = {root for root in made.roots if root.attached and root not in named}
    there = [root for root in wanted if root not in left_out]
    written = _receipt(source, registry, there, made, named)
    if staging is not None:
        _stage(source, staging, incomplete)
    if receipt is not None:
        receipts.write(written, receipt, key=key)
    return Pushed(made.actions, incomplete, written, notes.lines())


def _stage(source: Source, staging: Path, incomplete: dict[str, tuple[str, ...]]) -> None:
    if incomplete:
        keep_parts(source, staging)
    else:
        forget_parts(source, staging)


def _incomplete(source: Source, wanted: Sequence[Root], made: Plan) -> dict[str, tuple[str, ...]]:
    """By image: labels of volumes where there are any, else the digests."""
    found = {}
    for name, digests in made.unavailable.items():
        entries = [source.contents.blob(digest) for digest in digests]
        labels = {label for e in entries if e for label in source.labels_of(e.path)}
        found[name] = tuple(sorted(labels)) or digests
    # images of which not even the manifest is here
    known = {root.node.digest for root in wanted}
    for name, digest in contained.images(source):
        if digest not in known:
            found[name] = (digest,)
    return found


def _refuse(incomplete: dict[str, tuple[str, ...]]) -> None:
    lines = [f"{name}: lacks {', '.join(what)}" for name, what in sorted(incomplete.items())]
    listed = "\n".join(f"  {line}" for line in lines)
    raise FoundError(
        f"neither the bundle nor the registry has all of {len(lines)} images\n{listed}",
        lines,
        hint="provide the listed volumes, or push the base bundle first",
    )


def _run(
    client: Registry, turnstile: Turnstile, source: Source, made: Plan, notes: Notes, sink: Sink
) -> dict[Root, str]:
    """Do what is planned; return the digest that each root's tag names now, or its own."""
    total = sum(action.size for action in made.actions if action.kind == "upload")
    with step(sink, f"Pushing to {client.host}", total=total, unit="bytes") as work:
        lock = threading.Lock()

        def advance(amount: int) -> None:
            with lock:
                work.advance(amount)

        uploader = Uploader(client, source, advance, notes)
        by_kind = {
            kind: [a for a in made.actions if a.kind == kind]
            for kind in ("upload", "mount", "manifest")
        }
        turnstile.each(lambda action: _upload(uploader, source, action), by_kind["upload"], work)
        turnstile.each(lambda action: _mount(uploader, source, action), by_kind["mount"], work)
        putter = Putter(client, source, notes)
        return _Putting(putter, turnstile, source.contents.platform, notes, work).all(made.roots)


def _upload(uploader: Uploader, source: Source, action: Action) -> None:
    entry = source.contents.blob(action.digest)
    if entry is not None:
        uploader.upload(action.repository, action.digest, entry)


def _mount(uploader: Uploader, source: Source, action: Action) -> None:
    """A registry that does not mount gets the bytes once more."""
    if not uploader.mount(action.repository, action.digest, action.detail or ""):
        _upload(uploader, source, action)


@dataclass(frozen=True, slots=True)
class _Putting:
    """Puts manifests and tags in their order."""

    putter: Putter
    turnstile: Turnstile
    platform: str
    notes: Notes
    work: Step

    def all(self, roots: Sequence[Root]) -> dict[Root, str]:
        """Put everything; a root that is missing from the result was refused.

        Only what is attached to images may be missing: registries refuse manifests of artifacts in
        many ways (400, 404, 405, 415, 422), and images run without. It comes before the tags of the
        images, or after them where the registry wants to have what it refers to.
        """
        required = [root for root in roots if not root.attached]
        attached = [root for root in roots if root.attached]
        self._below(required, None)
        named = self._roots([root for root in required if root.tag is None], None)
        self._below(attached, _passed_over)
        named |= self._roots(attached, _passed_over)
        named |= self._roots([root for root in required if root.tag is not None], None)
        named |= self._roots([root for root in attached if root not in named], self._left_out)
        return named

    def _below(self, roots: Sequence[Root], refused: _Refused | None) -> None:
        found = {
            (root.repository, node.digest): node
            for root in roots
            for node in root.node.walk()
            if node is not root.node
        }
        for height in sorted({node.height for node in found.values()}):
            # an index has to wait for what it names
            level = [(key[0], node) for key, node in found.items() if node.height == height]
            self.turnstile.each(
                lambda each: self.putter.put_below(*each),
                level,
                self.work,
                refused=(lambda _each, _error: None) if refused else None,
            )

    def _roots(self, roots: Sequence[Root], refused: _Refused | None) -> dict[Root, str]:
        digests = self.turnstile.each(
            lambda root: self.putter.put_root(root, self.platform),
            roots,
            self.work,
            refused=refused,
        )
        return {root: digest for root, digest in zip(roots, digests, strict=True) if digest}

    def _left_out(self, root: Root, error: HttpError) -> str:
        self.notes.add(f"{root.name}: {error.what}; it is left out, the image is there")
        return ""


_Refused = Callable[[Root, HttpError], str]
"""Gives the digest of a root that was refused: none."""


def _passed_over(_root: Root, _error: HttpError) -> str:
    return ""


def _receipt(
    source: Source, registry: str, wanted: Sequence[Root], made: Plan, named: dict[Root, str]
) -> Receipt:
    there = [root for root in wanted if root.name not in made.unavailable]
    digests = {d for root in there for node in root.node.walk() for d in (node.digest, *node.blobs)}
    entries = [source.contents.blob(digest) for digest in digests]
    images = [
        receipts.Pushed(
            root.name,
            root.repository,
            root.target,
            named.get(root, root.node.digest),
            tuple(node.digest for node in root.node.walk()),
            root.node.subject,
        )
        for root in there
    ]
    held = tuple(sorted(entry.sha256 for entry in entries if entry is not None))
    ordered = sorted(images, key=lambda each: (each.repository, each.target))
    return Receipt(source.identity, registry, held, tuple(ordered))


__all__ = ["Pushed", "Target", "push"]
