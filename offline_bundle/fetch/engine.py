"""One scheduler over all blobs of all images: each digest once, the largest first."""

from __future__ import annotations

import concurrent.futures
import http.client
import threading
import time
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from mlops_infra.errors import MlopsError
from mlops_infra.progress import Sink, Step, step
from offline_bundle import manifests
from offline_bundle.fetch.board import Board
from offline_bundle.fetch.job import Job, Place
from offline_bundle.fetch.storing import BlobStore
from offline_bundle.fetch.transfer import Receiver
from offline_bundle.fetch.troubles import explained
from offline_bundle.model import Descriptor, LockedImage
from offline_bundle.references import parse
from offline_bundle.registry import Registries

_MOST_THREADS = 32
_TELL_BYTES = 4 << 20
"""Progress is told in steps of this size: a sink may be slow."""


@dataclass(frozen=True, slots=True)
class Fetched:
    """What a run of `fetch` did."""

    blobs: int
    """Blobs and manifests that came from registries."""
    present: int
    """Those that were there already."""
    limits: tuple[tuple[str, int], ...]
    """Transfers at a time that each host was given at the end."""


def fetch(
    images: Iterable[LockedImage],
    store: BlobStore,
    registries: Registries,
    sink: Sink,
    *,
    omit: frozenset[str] = frozenset(),
) -> Fetched:
    """Bring every blob of `images` (those of registries) into `store`.

    Args:
        images: from a lock.
        store: where blobs go; what is there already is not fetched.
        registries: how they are reached.
        sink: for progress.
        omit: digests that another bundle holds; manifests are fetched all the same.

    Raises:
        DigestMismatch: a registry sends other bytes than were locked.
        RegistryError: something is not there any more, or a registry fails for long.
        OperationFailed: the disk, or the network.
    """
    wanted = [image for image in images if image.source == "registry"]
    blobs = {blob.digest: blob.size for image in wanted for blob in image.blobs}
    total = sum(size for digest, size in blobs.items() if digest not in omit)
    with step(sink, f"Fetching {len(wanted)} images", total=total, unit="bytes") as work:
        run = _Run(store, registries, work, omit)
        found = run.all_of(wanted)
        work.end("done", f"{found.blobs} blobs fetched, {found.present} already present")
    return found


class _Run:
    """The state of one fetch; everything in it changes under one lock."""

    def __init__(
        self, store: BlobStore, registries: Registries, work: Step, omit: frozenset[str]
    ) -> None:
        self._store = store
        self._registries = registries
        self._work = work
        self._omit = omit
        self._changed = threading.Condition()
        self._jobs: dict[str, tuple[Job, list[LockedImage]]] = {}
        self._board = Board(lambda host: registries[host].concurrency)
        self._failure: Exception | None = None
        self._stopped = False
        self._counts: Counter[str] = Counter()
        self._untold = 0
        self._receiver = Receiver(store, self._advance)

    def all_of(self, images: list[LockedImage]) -> Fetched:
        """Fetch until nothing is left; raise the first failure."""
        with self._changed:
            for image in images:
                self._want(image, Descriptor(image.media_type, image.digest, image.size), True)
                for each in image.attached:
                    self._want(image, each.descriptor, True)
            most = sum(limiter.most for limiter in self._board.limiters.values())
        with concurrent.futures.ThreadPoolExecutor(min(_MOST_THREADS, most or 1)) as pool:
            threads = [pool.submit(self._serve) for _ in range(min(_MOST_THREADS, most))]
            try:
                for thread in concurrent.futures.as_completed(threads):
                    thread.result()
            finally:
                self._stop()
        self._tell(self._untold)
        if self._failure is not None:
            raise self._failure
        limits = tuple(sorted((host, each.limit) for host, each in self._board.limiters.items()))
        return Fetched(self._counts["fetched"], self._counts["present"], limits)

    def _want(self, image: LockedImage, blob: Descriptor, manifest: bool) -> None:
        """Queue a blob, unless it is queued or somebody else's."""
        if not manifest and blob.digest in self._omit:
            return
        reference = parse(image.reference)
        place = Place(reference.host, reference.path)
        if blob.digest not in self._jobs:
            job = Job(blob.digest, blob.size, manifest, [place], image.reference)
            self._jobs[blob.digest] = (job, [image])
            self._board.add(job)
            self._changed.notify()
            return
        job, images = self._jobs[blob.digest]
        if place not in job.places:
            job.places.append(place)
        if manifest and image not in images:
            images.append(image)
            if not job.pending:
                self._lead_on(job, [image])

    def _lead_on(self, job: Job, images: Iterable[LockedImage]) -> None:
        """Queue what a manifest that is there refers to."""
        content = self._store.read(job.digest)
        for image in images:
            parsed = manifests.parse(content, where=f"{image.reference}, {job.digest}")
            for child in manifests.chosen(parsed.manifests, image.platforms):
                self._want(image, child, manifests.is_manifest(child.media_type))
            for blob in parsed.blobs:
                self._want(image, blob, False)

    def _serve(self) -> None:
        """Do one job after the other until there is none; what nobody foresaw ends the run."""
        try:
            while (job := self._next()) is not None:
                try:
                    came = self._carry(job)
                except (OSError, http.client.HTTPException, MlopsError) as error:
                    self._failed(job, error)
                else:
                    self._done(job, came)
        except BaseException:
            self._stop()
            raise

    def _next(self) -> Job | None:
        """Wait for a job that may start; None at the end."""
        with self._changed:
            while not self._stopped and not self._board.empty:
                now = time.monotonic()
                job = self._board.take(now)
                if job is not None:
                    return job
                self._changed.wait(self._board.patience(now))
            self._changed.notify_all()
            return None

    def _carry(self, job: Job) -> bool:
        """Have the content of `job` in the store; whether it had to be fetched."""
        if self._store.has(job.digest, job.size):
            self._advance(job.size - job.counted)
            return False
        registry = self._registries[job.place.host]
        if job.manifest:
            manifest = registry.manifest(job.place.path, job.digest)
            self._store.put(manifest.content, job.digest)
            self._advance(len(manifest.content))
        else:
            self._receiver.receive(job, registry)
        return True

    def _done(self, job: Job, came: bool) -> None:
        with self._changed:
            self._board.done(job)
            self._counts["fetched" if came else "present"] += 1
            if job.manifest:
                self._lead_on(job, list(self._jobs[job.digest][1]))
            self._changed.notify_all()

    def _failed(self, job: Job, error: Exception) -> None:
        with self._changed:
            if self._board.failed(job, error):
                self._work.note(f"{job.place.host}: {str(error).partition(chr(10))[0]}; again")
            else:
                self._failure = self._failure or explained(error, job)
                self._stopped = True
            self._changed.notify_all()

    def _stop(self) -> None:
        with self._changed:
            self._stopped = True
            self._changed.notify_all()

    def _advance(self, change: int) -> None:
        with self._changed:
            self._untold += change
            if self._untold < 0 or self._untold >= _TELL_BYTES:
                self._tell(self._untold)
                self._untold = 0

    def _tell(self, change: int) -> None:
        if change:
            self._work.advance(change)
