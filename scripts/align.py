"""`python -m scripts.align`: let the wrapper modules of a group share the libraries they have.

Go's build cache holds a package once for each version of it and of all it imports. Upstream's
releases differ in the last digits of the same libraries, so that a machine that compiles
everything would compile the API types and the client of Kubernetes seven times. Within a group
each library stands at the highest version that one of the wrappers needs, so it is three times
(docs/decisions/0016-shared-go-modules.md).

Run it after a version in a wrapper has changed; a unit test asks `differing`.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

MODULES = Path(__file__).parents[1] / "go"
GROUPS: tuple[tuple[str, ...], ...] = (
    ("alertmanager", "coredns", "helm", "kwok", "metrics-server", "prometheus", "promtool"),
    ("argo-workflows", "kserve", "pulumi-kubernetes"),
    ("jobset", "katib", "trainer"),
)
"""Wrappers that agree. etcd, Pulumi and versitygw hold data and state: they stay as released, and
Kubernetes is one tree of its own. The last group is of what few stacks have: it is apart, so that
its newer libraries make nobody compile the first group again."""
AS_RELEASED: Mapping[tuple[str, ...], tuple[str, ...]] = {GROUPS[0]: ("pulumi",)}
"""Group -> wrappers that it follows where they are ahead, and that it does not touch."""

_REQUIRED = re.compile(r"^\s*(?:require )?([\w.-]+\.[\w./~-]+) (v\S+)", re.MULTILINE)
_TOOL = re.compile(r"^(?:tool |\t)([\w.-]+\.[\w./~-]+)$", re.MULTILINE)
_ERRORS = "{{with .Error}}{{$.ImportPath}}: {{.Err}}{{end}}"
_EMBEDDED = "no matching files found"
"""The one error that is expected: a web interface that its module embeds and does not have. Our
overlay brings it when it is compiled."""


def differing() -> dict[str, dict[str, str]]:
    """Wrapper -> library -> the version that it should stand at; empty where all agree."""
    return {wrapper: raised for group in GROUPS for wrapper, raised in _behind(group)}


def _behind(group: tuple[str, ...]) -> Iterator[tuple[str, dict[str, str]]]:
    highest: dict[str, str] = {}
    for wrapper in (*group, *AS_RELEASED.get(group, ())):
        for library, version in required(wrapper).items():
            highest[library] = max(version, highest.get(library, version), key=order)
    for wrapper in group:
        versions = required(wrapper)
        raised = {name: highest[name] for name in versions if highest[name] != versions[name]}
        if raised:
            yield wrapper, raised


def required(wrapper: str) -> Mapping[str, str]:
    """Library -> version, as the wrapper's go.mod requires them."""
    return dict(_REQUIRED.findall(_without_replacements(wrapper)))


def _without_replacements(wrapper: str) -> str:
    text = (MODULES / wrapper / "go.mod").read_text("utf-8")
    return "\n".join(line for line in text.splitlines() if "=>" not in line)


def order(version: str) -> tuple[object, ...]:
    """A sort key: the order of semantic versioning (https://semver.org, 11), as Go has it."""
    core, _, before = version.removeprefix("v").partition("+")[0].partition("-")
    parts = [
        (0, int(part), "") if part.isdigit() else (1, 0, part) for part in before.split(".") if part
    ]
    return tuple(map(int, core.split("."))), not before, parts


def main() -> int:
    """Raise what is behind until nothing is: a raised library may ask for others."""
    while behind := differing():
        for wrapper, raised in behind.items():
            print(f"{wrapper}: {len(raised)} libraries raised")
            edits = [f"-require={library}@{version}" for library, version in raised.items()]
            _go(wrapper, "mod", "edit", *edits)
            (MODULES / wrapper / "go.sum").unlink()
            packages = _TOOL.findall(_without_replacements(wrapper)) or ["."]
            told = _go(wrapper, "list", "-e", "-mod=mod", "-deps", "-f", _ERRORS, *packages)
            if wrong := [line for line in told.splitlines() if _EMBEDDED not in line]:
                print("\n".join(wrong), file=sys.stderr)
                return 1
    return 0


def _go(wrapper: str, *arguments: str) -> str:
    environment = {**os.environ, "CGO_ENABLED": "0", "GOWORK": "off"}
    done = subprocess.run(
        ["go", *arguments],
        cwd=MODULES / wrapper,
        env=environment,
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    return done.stdout


if __name__ == "__main__":
    sys.exit(main())
