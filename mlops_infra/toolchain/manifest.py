"""What is pinned: families, tools and archives of `tools.yaml`, and the key of each binary."""

from __future__ import annotations

import functools
import hashlib
import json
import platform
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from mlops_infra import files, places
from mlops_infra.errors import InputError, MissingError

_DATA = Path(__file__).with_name("tools.yaml")
_MACHINES = {"x86_64": "amd64", "amd64": "amd64", "aarch64": "arm64", "arm64": "arm64"}


@dataclass(frozen=True, slots=True)
class Check:
    """How a program tells its version."""

    arguments: tuple[str, ...]
    text: str
    """What must be in the answer, as a word of its own."""


@dataclass(frozen=True, slots=True)
class Archive:
    """One official release file, or image, and the checksum that was published for it."""

    url: str
    """The file, or the manifest of an image for one platform."""
    checksum: str
    """`sha256:<hex>` or `sha512:<hex>`, over the file or the manifest."""
    published: str
    """Where the checksum was found."""
    members: Mapping[str, str]
    """File of the tool to path within the archive; empty where the file is the program itself."""
    release: str
    """The version it is of; another than the pin's where upstream counts modules apart."""
    image: bool = False
    """Whether it is an image, whose layers are the archives."""


@dataclass(frozen=True, slots=True)
class Plugin:
    """What Pulumi calls a plugin."""

    kind: str
    """`resource`: a provider."""
    name: str


@dataclass(frozen=True, slots=True)
class Family:
    """Binaries that are built together from one Go module."""

    name: str
    version: str
    licence: str
    """SPDX id."""
    module: str
    """The Go module that the binaries come from."""
    module_version: str
    """The version of that module: `version`, unless the release has no tag in the module."""
    flags: tuple[str, ...]
    """All arguments of `go build` but `-o` and the packages."""
    overlay: Mapping[str, str]
    """Path within the module to a file in `folder` that is compiled there instead."""

    @property
    def folder(self) -> Path:
        """The wrapper module with `go.mod` and `go.sum`."""
        return places.project() / "go" / self.name


@dataclass(frozen=True, slots=True)
class Pin:
    """One tool at its pinned version."""

    name: str
    family: Family
    programs: Mapping[str, str]
    """File name to Go package."""
    files: Mapping[str, str]
    """File name to path within the family's module: scripts laid beside the programs. Of a folder
    its Python files are taken, with their places in it."""
    check: Check | None
    """None where the program cannot tell its version."""
    archives: Mapping[str, Archive]
    """By `<os>/<arch>`; tools of one archive have the same `url` here."""
    unpublished: str | None = None
    """Why there is no archive, where none is pinned on any platform."""
    plugin: Plugin | None = None
    """Set where Pulumi's own command fetches and keeps it."""

    @property
    def version(self) -> str:
        """Version with its leading `v`."""
        return self.family.version

    @property
    def contents(self) -> tuple[str, ...]:
        """Names of all files in the tool's `bin` folder."""
        return (*self.programs, *self.files)


def target() -> str:
    """This machine as `<os>/<arch>`, in Go's words.

    Raises:
        MissingError: no binaries are pinned for this processor.
    """
    machine = platform.machine().lower()
    if machine not in _MACHINES:
        raise MissingError(
            f"the toolchain does not support the processor '{machine}'",
            hint="use a machine with x86_64 or arm64",
        )
    return f"{sys.platform}/{_MACHINES[machine]}"


@functools.cache
def pins() -> Mapping[str, Pin]:
    """All pinned tools by name, in the order of `tools.yaml`."""
    # the C loader takes 4 ms for this file, the Python one 25
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    document = yaml.load(_DATA.read_text("utf-8"), Loader=loader)  # noqa: S506  both are safe
    found: dict[str, Pin] = {}
    for name, entry in document["families"].items():
        family = _family(name, entry, document["goFlags"])
        shared = entry.get("archives", {})
        for tool, spec in entry["tools"].items():
            found[tool] = _pin(tool, family, spec, shared)
    return found


def pin(name: str) -> Pin:
    """The pinned tool `name`.

    Raises:
        InputError: there is no such tool.
    """
    known = pins()
    if name not in known:
        raise InputError(f"no such tool: '{name}'", hint=f"the tools are: {', '.join(known)}")
    return known[name]


def selected(names: Iterable[str]) -> tuple[Pin, ...]:
    """The pinned tools of `names`, each once; all of them where `names` is empty."""
    chosen = dict.fromkeys(names) or pins()
    return tuple(pin(name) for name in chosen)


@functools.cache
def key(name: str) -> str:
    """SHA-256 over everything that determines the binary: nothing is fetched or run.

    These are the Go module with its sums and sources, the flags, the packages and the target. The
    Go version is left out: it differs between machines, and image references must not.
    """
    wanted = pin(name)
    family = wanted.family
    inputs = {
        "version": family.version,
        "target": target(),
        "flags": family.flags,
        "programs": sorted(wanted.programs.items()),
        "files": sorted(wanted.files.items()),
        "sources": [(file.name, files.sha256(file)) for file in _sources(family.folder)],
    }
    if family.overlay:
        inputs["overlay"] = [
            (path, files.sha256(family.folder / file))
            for path, file in sorted(family.overlay.items())
        ]
    return hashlib.sha256(json.dumps(inputs, sort_keys=True).encode()).hexdigest()


def _sources(folder: Path) -> list[Path]:
    return [folder / "go.mod", folder / "go.sum", *sorted(folder.glob("*.go"))]


def _family(name: str, entry: Mapping[str, Any], common: list[str]) -> Family:
    version = entry["version"]
    variables = [f"-X {k}={_filled(v, version)}" for k, v in entry.get("variables", {}).items()]
    tags = ["-tags", ",".join(entry["tags"])] if "tags" in entry else []
    flags = (*common, *tags, "-ldflags", " ".join(["-s -w", *variables]))
    overlay = entry.get("overlay", {})
    return Family(
        name=name,
        version=version,
        licence=entry["licence"],
        module=entry["module"],
        module_version=entry.get("moduleVersion", version),
        flags=flags,
        overlay=overlay,
    )


def _pin(name: str, family: Family, spec: Mapping[str, Any], shared: Mapping[str, Any]) -> Pin:
    check = spec.get("check")
    files = spec.get("files", {})
    own = (*spec["programs"], *files)
    return Pin(
        name=name,
        family=family,
        programs=spec["programs"],
        files=files,
        check=check and Check(tuple(check["arguments"]), _filled(check["text"], family.version)),
        archives={
            where: _archive(entry, family.version, own)
            for where, entry in {**shared, **spec.get("archives", {})}.items()
        },
        unpublished=spec.get("unpublished"),
        plugin=_plugin(spec.get("plugin")),
    )


def _plugin(spec: Mapping[str, Any] | None) -> Plugin | None:
    return None if spec is None else Plugin(spec["kind"], spec["name"])


def _archive(entry: Mapping[str, Any], version: str, own: tuple[str, ...]) -> Archive:
    """The archive as far as one tool is concerned, whose files are `own`."""
    release = entry.get("release", version)
    paths = entry.get("members", {})
    members = {name: _filled(paths[name], release) for name in own} if paths else {}
    kind = "sha512" if "sha512" in entry else "sha256"
    checksum = f"{kind}:{entry[kind]}"
    if image := entry.get("image"):
        host, _, name = image.partition("/")
        url = f"https://{host}/v2/{name}/manifests/{checksum}"
    else:
        url = _filled(entry["url"], release)
    return Archive(url, checksum, entry["published"], members, release, bool(image))


def _filled(text: str, version: str) -> str:
    return text.replace("{version}", version).replace("{number}", version.removeprefix("v"))
