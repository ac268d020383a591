"""Asks the sources of a tool in their order and puts what they give into the cache."""

from __future__ import annotations

import contextlib
import hashlib
import itertools
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from mlops_infra import contract
from mlops_infra.errors import MissingError, OperationFailed
from mlops_infra.progress import Sink, Step, step
from mlops_infra.toolchain import archive, bundle, go_build, go_client, on_path, plugins, store
from mlops_infra.toolchain.manifest import Family, Pin, pin, selected
from mlops_infra.toolchain.store import Origin, PassedOver, Tool


def locate(name: str, *, from_path: bool = True) -> Tool | None:
    """The tool `name` as it lies on this machine; nothing is fetched or built.

    Raises:
        InputError: there is no such tool.
    """
    return _locate(pin(name), from_path, [])


def ensure(
    names: Iterable[str],
    sink: Sink,
    *,
    from_path: bool = True,
    bundle_folder: Path | None = None,
) -> dict[str, Tool]:
    """Have the tools `names` (all, where it is empty) and return them by name, in that order.

    `from_path=False` passes over programs on PATH: for binaries that go into images, whose content
    must not depend on this machine. The bundle is `bundle_folder`, else `$MLOPS_INFRA_BUNDLE`.

    Raises:
        InputError: a name is unknown, or the bundle is none.
        MissingError: no source on this machine serves; it says why for each.
        OperationFailed: a bundle was changed, or a build failed.
    """
    wanted = selected(names)
    binaries = bundle.configured(bundle_folder)
    found: dict[str, Tool] = {}
    refused: dict[str, list[PassedOver]] = {}
    for one in wanted:
        tool = _locate(one, from_path, refused.setdefault(one.name, []))
        if tool:
            found[one.name] = _laid(tool, one)
    missing = [one for one in wanted if one.name not in found]
    for _, group in itertools.groupby(missing, key=lambda one: one.family.name):
        for tool in _acquire(list(group), refused, binaries, sink):
            found[tool.name] = tool
    return {one.name: found[one.name] for one in wanted}


def bin_dir(tools: Mapping[str, Tool]) -> Path:
    """A folder with a link to every program of `tools`, to be put on a PATH."""
    links = {
        file.name: file
        for tool in tools.values()
        for file in (_files(tool) if tool.source != "path" else [tool.path])
    }
    text = "\n".join(f"{name} {file}" for name, file in sorted(links.items()))
    folder = store.root() / "path" / hashlib.sha256(text.encode()).hexdigest()[:8]
    folder.mkdir(parents=True, exist_ok=True)
    for name, file in links.items():
        # another process may lay the same link, to the same file
        with contextlib.suppress(FileExistsError):
            (folder / name).symlink_to(file)
    return folder


def _files(tool: Tool) -> list[Path]:
    folder = tool.path if tool.path.is_dir() else tool.path.parent
    return sorted(folder.iterdir())


def _locate(one: Pin, from_path: bool, refused: list[PassedOver]) -> Tool | None:
    if from_path or one.plugin:
        found = on_path.find(one)
        if isinstance(found, Tool):
            return found
        refused.append(found)
    return store.cached(one)


def _acquire(
    group: Sequence[Pin],
    refused: Mapping[str, list[PassedOver]],
    binaries: Path | None,
    sink: Sink,
) -> list[Tool]:
    """Get tools of one family: from the bundle, else from archives, the rest in one build."""
    family = group[0].family
    title = f"{family.name} {family.version}"
    with step(sink, f"Getting {title}", unit="packages") as work, store.locked(family.name, work):
        with store.scratch(family.name) as into:
            # another process may have made one while this one waited for the lock
            tools = [
                tool
                for one in group
                if (tool := store.cached(one) or _bundled(one, refused[one.name], binaries, into))
            ]
            tools += _fetched(_without(group, tools), refused, into, work)
            rest = _without(group, tools)
            if rest:
                tools += _built(family, rest, refused, into, work)
        sources = dict.fromkeys(tool.source for tool in tools)
        work.end("done", ", ".join(sources))
    return tools


def _without(group: Sequence[Pin], tools: Iterable[Tool]) -> list[Pin]:
    there = {tool.name for tool in tools}
    return [one for one in group if one.name not in there]


def _bundled(one: Pin, refused: list[PassedOver], binaries: Path | None, into: Path) -> Tool | None:
    got = bundle.take(one, binaries, into)
    if isinstance(got, PassedOver):
        refused.append(got)
        return None
    return _published(one, into, got, refused)


def _fetched(
    group: Sequence[Pin], refused: Mapping[str, list[PassedOver]], into: Path, work: Step
) -> Iterator[Tool]:
    work.unit = "bytes"
    taken = archive.take(group, into, work)
    work.unit = "packages"
    work.done, work.total = 0, None
    passed: dict[PassedOver, list[str]] = {}
    for one in group:
        got = taken[one.name]
        if isinstance(got, Origin):
            yield _published(one, into, got, refused[one.name])
        else:
            refused[one.name].append(got)
            passed.setdefault(got, []).append(one.name)
    for reason, names in passed.items():
        work.note(f"{', '.join(names)}: {reason}")


def _built(
    family: Family,
    rest: Sequence[Pin],
    refused: Mapping[str, list[PassedOver]],
    into: Path,
    work: Step,
) -> list[Tool]:
    got = go_build.make(family, rest, into, work)
    if isinstance(got, PassedOver):
        for one in rest:
            refused[one.name].append(got)
        raise _nothing_serves(rest[0], refused[rest[0].name])
    return [_published(one, into, got, refused[one.name]) for one in rest]


def _published(one: Pin, made: Path, origin: Origin, refused: Sequence[PassedOver]) -> Tool:
    """Let the program tell its version before it gets its place in the cache."""
    for name in one.programs:
        (made / name).chmod(0o755)
        problem = one.check and on_path.version_problem(made / name, one.check)
        if problem:
            raise OperationFailed(
                f"{name} from the {origin.source} source {problem}",
                where=origin.detail,
                hint="report this: the pin does not match its source",
            )
    # PATH is another one tomorrow; a refused archive is worth telling for as long as the file lives
    told = tuple(str(r) for r in refused if r.notable and r.source not in ("path", "pulumi"))
    return _laid(store.publish(one, made, replace(origin, passed_over=told)), one)


def _laid(tool: Tool, one: Pin) -> Tool:
    """The tool where it is looked for: a plugin in Pulumi's home."""
    return plugins.lay(tool, one) if one.plugin and tool.source != "pulumi" else tool


def _nothing_serves(one: Pin, refused: Sequence[PassedOver]) -> MissingError:
    return MissingError(
        f"{one.name} {one.version} is not installed and not available from any source",
        where="; ".join(map(str, refused)),
        hint=f"install Go {go_client.MINIMUM} or newer (https://go.dev/dl), or set"
        f" {contract.BUNDLE_VARIABLE} to an offline bundle;"
        f" then: `mlops-infra toolchain install {one.name}`",
    )
