"""From a stack's plan to all that it needs behind an air gap, each with where it is asked for."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import yaml

from mlops_infra import images as recipes
from mlops_infra import places
from mlops_infra.config import StackConfig, load, stack_file
from mlops_infra.images.answers import IN_BUNDLE
from mlops_infra.plan import Plan, make_plan
from mlops_infra.plan.licence_report import licence_report
from mlops_infra.progress import Sink
from mlops_infra.toolchain.manifest import target
from offline_bundle import collisions, layout
from offline_bundle.discover import additions, images, programs, wheels
from offline_bundle.discover.wanted import Needs, WantedFile, WantedImage, merged
from offline_bundle.model import Found

__all__ = ["Additions", "Needs", "WantedFile", "WantedImage", "discover", "needed"]


@dataclass(frozen=True, slots=True)
class Additions:
    """What a site wants carried beside the platform."""

    images: Sequence[str] = ()
    files: Sequence[Path] = ()
    charts: Sequence[Path] = ()
    wheels: Sequence[Path] = ()


def discover(
    stack: str | None,
    sink: Sink,
    *,
    file: Path | None = None,
    add: Additions | None = None,
    platform: str | None = None,
    python: str | None = None,
    state: Path | None = None,
) -> Needs:
    """Everything that `stack` needs, and the additions.

    Args:
        stack: its name; None for the additions alone.
        sink: for progress.
        file: its file, where it is not the stack's usual one.
        add: free additions.
        platform: of the closed side, `linux/amd64`; this machine's where it is None.
        python: of the closed side, `3.11`; this program's where it is None.
        state: `pulumi stack export` of an existing deployment, for the plugins that it names.

    Raises:
        ConfigError, PlanError: the stack's file is wrong or refused.
        InputError: an addition cannot be used.
        MissingError: a plugin is not on this machine.
        OperationFailed: a chart does not render, or the package index does not answer.
    """
    needs = Needs(
        stack,
        platform or target(),
        python or f"{sys.version_info[0]}.{sys.version_info[1]}",
    )
    if stack is not None:
        needs = _of_stack(needs, stack, file, state, sink)
    return _added(needs, add or Additions(), sink)


def needed(
    stack: str,
    sink: Sink,
    *,
    platform: str,
    python: str,
    file: Path | None = None,
    bundle: Path | None = None,
) -> Needs:
    """The same for the closed side: by names and versions alone, and without any network.

    Args:
        stack: its name.
        sink: for progress.
        platform: of the bundle.
        python: of the bundle.
        file: its file, where it is not the stack's usual one.
        bundle: folder of the bundle, which has a helm where this machine has none.

    Raises:
        ConfigError, PlanError: the stack's file is wrong or refused.
        OperationFailed: a chart does not render.
    """
    config = load(file or stack_file(stack))
    plan = _plan(config, stack, bundle)
    found = (
        *_charts(plan),
        *programs.binaries(programs.tools(config), platform),
        *programs.named(programs.providers(config, None)),
        *wheels.named((config.profile,), platform, python),
    )
    return Needs(stack, platform, python, images.of_plan(plan, config, sink, bundle), found)


def _of_stack(needs: Needs, stack: str, file: Path | None, state: Path | None, sink: Sink) -> Needs:
    config = load(file or stack_file(stack))
    plan = _plan(config, stack, None)
    tools = programs.tools(config)
    plugins = programs.plugins(programs.providers(config, state), needs.platform, sink)
    index = wheels.index_url(config.network.packages)
    found = [
        *_charts(plan),
        *programs.binaries(tools, needs.platform),
        *plugins,
        *wheels.of_program((config.profile,), needs.platform, needs.python, index, sink),
    ]
    wanted = images.of_plan(plan, config, sink)
    notes: tuple[str, ...] = ()
    simulated = sorted(each.name for each in plan.components if each.simulated)
    if simulated:
        notes = (f"simulated, so without images: {', '.join(simulated)}",)
    return replace(needs, images=_licensed(wanted, config, stack), files=tuple(found), notes=notes)


def _plan(config: StackConfig, stack: str, bundle: Path | None) -> Plan:
    """With what this machine knows of upstream's images, and what the bundle itself holds."""
    known = recipes.answers() if config.cluster.embedded else {}
    if bundle and config.cluster.embedded and (bundle / layout.INDEX).is_file():
        known |= dict.fromkeys(recipes.bundled_references(bundle), IN_BUNDLE)
    return make_plan(config, stack=stack, built=recipes.references(), answers=known)


def _charts(plan: Plan) -> list[WantedFile]:
    asked: dict[str, list[Found]] = {}
    for component in plan.components:
        if component.chart:
            asked.setdefault(component.chart, []).append(Found(f"plan: {component.name}"))
    found = []
    for name, where in sorted(asked.items()):
        text = (places.project() / "charts" / name / "Chart.yaml").read_text("utf-8")
        version = str(yaml.safe_load(text)["version"])
        filename = f"{name}-{version}.tgz"
        source = f"project:charts/{name}"
        found.append(
            WantedFile("chart", name, version, filename, source, tuple(where), "Apache-2.0")
        )
    return found


def _licensed(
    wanted: Sequence[WantedImage], config: StackConfig, stack: str
) -> tuple[WantedImage, ...]:
    """What the catalog knows of licences is better than what images say of themselves."""
    registry = config.network.registry
    rows = licence_report(config, stack=stack, built=recipes.references())
    known = {images.original(row.image, registry): row.spdx for row in rows}
    return tuple(replace(each, licence=known.get(each.reference)) for each in wanted)


def _added(needs: Needs, add: Additions, sink: Sink) -> Needs:
    charts = list(additions.charts(add.charts, sink))
    found_images = [*needs.images, *additions.images(add.images)]
    found_images += [each for each in charts if isinstance(each, WantedImage)]
    found_files = [*needs.files, *additions.files(add.files), *additions.wheels(add.wheels)]
    found_files += [each for each in charts if isinstance(each, WantedFile)]
    # the same file may be given twice, and be in a folder that is given as well
    found_files = list({(each.kind, each.name, each.source): each for each in found_files}.values())
    collisions.require_distinct(
        (layout.file_path(each.kind, each.name, each.filename), each.source) for each in found_files
    )
    return replace(needs, images=merged(found_images), files=tuple(found_files))
