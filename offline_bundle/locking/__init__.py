"""From what is wanted to exactly that: digests, sizes, licences."""

from __future__ import annotations

import concurrent.futures
from collections.abc import Sequence
from dataclasses import dataclass

from mlops_infra.errors import MlopsError, OperationFailed
from mlops_infra.progress import Sink, step
from offline_bundle import lockfile
from offline_bundle.discover import Needs, WantedImage
from offline_bundle.locking.files import lock_files
from offline_bundle.locking.images import lock_image
from offline_bundle.locking.recipes import lock_recipes
from offline_bundle.model import Lock, LockedImage
from offline_bundle.references import parse
from offline_bundle.registry import Notes, Registries, Settings

__all__ = ["Locked", "lock_images", "make_lock"]

_AT_A_TIME = 8


@dataclass(frozen=True, slots=True)
class Locked:
    """A lock, and what a person should know about it."""

    lock: Lock
    moved: tuple[str, ...]
    """Tags that mean something else than in the lock before."""
    notes: tuple[str, ...]


def make_lock(
    needs: Needs,
    settings: Settings,
    sink: Sink,
    *,
    previous: Lock | None = None,
    platforms: Sequence[str] = (),
) -> Locked:
    """Lock everything that is needed.

    Args:
        needs: of `discover`.
        settings: how registries are reached.
        sink: for progress.
        previous: the lock before, to tell which tags have moved.
        platforms: of images; that of the closed side where empty; `all` for all there are.

    Raises:
        RegistryError, OperationFailed: an image or a file cannot be had.
    """
    wanted = tuple(sorted(set(platforms))) or (needs.platform,)
    if "all" in wanted:
        wanted = ()
    remote = [image for image in needs.images if not image.recipe]
    notes = Notes()
    with Registries(settings) as registries:
        pulled = lock_images(remote, registries, wanted, notes, sink)
    # last, since building takes minutes and a wrong name is told in seconds
    built = lock_recipes((image for image in needs.images if image.recipe), sink)
    files = lock_files(needs.files, sink)
    hosts = settings.locked(parse(image.reference).host for image in pulled)
    lock = lockfile.ordered(
        Lock(needs.stack, needs.platform, needs.python, (*built, *pulled), files, hosts)
    )
    moved = tuple(lockfile.moved(previous, lock)) if previous else ()
    return Locked(lock, moved, (*needs.notes, *notes.lines()))


def lock_images(
    remote: Sequence[WantedImage],
    registries: Registries,
    platforms: tuple[str, ...],
    notes: Notes,
    sink: Sink,
    *,
    attached: bool = True,
) -> list[LockedImage]:
    """Lock images of registries; what cannot be had is told together, not one a run.

    Args:
        remote: what to lock.
        registries: how they are reached.
        platforms: of images; all where empty.
        notes: gets what is left out.
        sink: for progress.
        attached: whether signatures and attestations are carried too.

    Raises:
        RegistryError, OperationFailed: an image cannot be had.
    """
    found: list[LockedImage] = []
    failed: list[tuple[WantedImage, MlopsError]] = []
    with (
        step(sink, f"Locking {len(remote)} images", total=len(remote), unit="images") as work,
        concurrent.futures.ThreadPoolExecutor(_AT_A_TIME) as pool,
    ):
        tries = [
            pool.submit(lock_image, each, registries, platforms, notes, attached=attached)
            for each in remote
        ]
        for wanted, one in zip(remote, tries, strict=True):
            try:
                found.append(one.result())
            except MlopsError as error:
                failed.append((wanted, error))
            work.advance()
    if len(failed) == 1:
        raise failed[0][1]
    if failed:
        lines = "\n".join(f"  {_named(wanted)}: {error.what}" for wanted, error in failed)
        raise OperationFailed(
            f"{len(failed)} of {len(remote)} images are not available\n{lines}",
            hint=failed[0][1].hint,
        )
    return found


def _named(image: WantedImage) -> str:
    first, *more = image.found
    others = f" and {len(more)} more" if more else ""
    return f"{image.reference}, required by {first.where}{others}"
