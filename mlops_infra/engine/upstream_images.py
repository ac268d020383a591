"""Images that no recipe makes, for the embedded node: registries are asked, then pulled from.

The node has no way out. This machine asks and pulls for it, and loads what it got into the node.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from mlops_infra import contract
from mlops_infra.cluster import EmbeddedCluster
from mlops_infra.config import StackConfig, load, stack_file
from mlops_infra.engine.planning import plan_of
from mlops_infra.errors import InputError
from mlops_infra.images import BuiltImage
from mlops_infra.images.answers import remembered
from mlops_infra.plan import Plan
from mlops_infra.plan.images.roles import BUILT_REGISTRY
from mlops_infra.plan.model.planned import PlannedImage
from mlops_infra.progress import Sink, step

if TYPE_CHECKING:
    from offline_bundle.pull import Mirrors
    from offline_bundle.registry import Settings


@dataclass(frozen=True, slots=True)
class PulledImage:
    """What came of one image that was to be pulled."""

    reference: str
    digest: str | None
    """Of the image manifest for this machine; None where it cannot be had."""
    size: int | None
    """Bytes of all layers."""
    why: str
    """Why it cannot be had, or that the node has it; empty where the node does not run."""

    def as_dict(self) -> dict[str, object]:
        """For `--json`."""
        return asdict(self)


def ask(plan: Plan, mirrors: Mirrors, *, again: bool = False) -> bool:
    """Ask registries about images that nothing is known of; True where an answer is new.

    Args:
        plan: made from what is known.
        mirrors: how registries are reached.
        again: ask about those that are known to be missing as well, and about optional ones.

    Raises:
        InputError: an image's name is not a reference.
    """
    found = _of_registries(plan, optional=again)
    missing = [image.reference for image in found if not image.obtainable]
    if not missing:
        return False
    from offline_bundle.pull import ask as ask_registries

    known = remembered()
    answers = ask_registries(missing, mirrors, {} if again else known)
    return any(known.get(reference) != answer for reference, answer in answers.items())


def wanted(plan: Plan) -> list[str]:
    """The images to bring into the node, as far as they can be had, each once."""
    real = {each.name for each in plan.components if not each.simulated}
    found = (
        image.reference
        for image in _of_registries(plan)
        if image.obtainable and image.component in real
    )
    return list(dict.fromkeys(found))


def pull(plan: Plan, config: StackConfig, file: Path, sink: Sink) -> list[BuiltImage]:
    """Have those images on this machine; see `offline_bundle.pull.pull`."""
    references = wanted(plan)
    if not references:
        return []
    from offline_bundle.pull import pull as pull_images

    return pull_images(references, mirrors_of(config, file), sink)


def mirrors_of(config: StackConfig, file: Path, settings: Settings | None = None) -> Mirrors:
    """How a stack's registries are reached.

    By `$MLOPS_INFRA_REGISTRIES`, trusting `network.ca` as well. A closed network asks nobody but
    the hosts of that folder and its own registry.

    Args:
        config: of the stack.
        file: its file, where relative paths begin.
        settings: what was said on the command line.

    Raises:
        InputError: a file that says how registries are reached cannot be used.
    """
    from offline_bundle.pull import read_mirrors
    from offline_bundle.registry import Settings

    network = config.network
    named = os.environ.get(contract.REGISTRIES_VARIABLE)
    ca = str(file.parent / Path(network.ca).expanduser()) if network.ca else None
    own = {network.registry.partition("/")[0]} if network.registry else set()
    return replace(
        read_mirrors(Path(named) if named else None, replace(settings or Settings(), ca=ca)),
        own=frozenset(own),
        closed=network.mode == "closed",
    )


def pull_for_stack(
    stack: str,
    file: Path | None,
    references: Sequence[str],
    settings: Settings,
    sink: Sink,
) -> list[PulledImage]:
    """Ask and pull anew for a stack's embedded node, and load what came into it if it runs.

    Args:
        stack: its name.
        file: its file, where it is not the default one.
        references: images; all that its components take from registries where empty.
        settings: how registries are reached, beside what the stack says.
        sink: for progress.

    Raises:
        InputError: the stack has no embedded cluster.
        DigestMismatch, RegistryError, OperationFailed: see `offline_bundle.pull.pull`.
    """
    from offline_bundle.pull import pull as pull_images

    path = file or stack_file(stack)
    config = load(path)
    if not config.cluster.embedded:
        raise InputError(
            f"stack {stack} has no embedded cluster: its nodes pull images by themselves",
            hint="to push images to a registry: mlops-infra bundle push --help",
        )
    mirrors = mirrors_of(config, path, settings)
    lacking: dict[str, str] = {}
    names = list(references)
    if not names:
        with step(sink, "Asking registries") as work:
            ask(plan_of(config, stack), mirrors, again=True)
            plan = plan_of(config, stack)
            found = list(_of_registries(plan, optional=True))
            lacking = {each.reference: each.why for each in found if not each.obtainable}
            work.end("done", f"{len(lacking)} of {len(found)} images are not available")
        names = list(dict.fromkeys(each.reference for each in found if each.obtainable))
    images = pull_images(names, mirrors, sink, again=True)
    loaded = _load(EmbeddedCluster(config.cluster.name or stack), images, sink)
    why = "in the node" if loaded else ""
    return [
        *(PulledImage(each.name, each.digest, each.size, why) for each in images),
        *(PulledImage(reference, None, None, why) for reference, why in lacking.items()),
    ]


def _load(cluster: EmbeddedCluster, images: Sequence[BuiltImage], sink: Sink) -> bool:
    """Load into the node; False where there is none that runs."""
    if cluster.status().phase in ("absent", "stopped") or cluster.simulated:
        return False
    cluster.load(images, sink)
    return True


def _of_registries(plan: Plan, *, optional: bool = False) -> Iterator[PlannedImage]:
    """Images that no recipe makes.

    What a component that was built here pulls later, if anybody asks it to (KServe's other model
    servers), is `optional`: `up` neither asks nor pulls hundreds of megabytes for it.
    """
    for component in plan.components:
        found = [image for image in component.images if image.recipe is None]
        if optional or any(image.phase == "start" for image in found):
            yield from (each for each in found if not each.reference.startswith(BUILT_REGISTRY))
