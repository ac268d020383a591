"""Runs the program under a monitor that keeps every registration, as the engine would see it."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pulumi
import pytest
from google.protobuf.json_format import MessageToDict
from pulumi.runtime import mocks
from pulumi.runtime.stack import run_pulumi_func

from mlops_infra.engine import declaration

SECRET = "4dabf18193072939515e22adb298388d"
SIGNATURE = "1b47061264138c4ac30d75fd1eb44270"


class _Echo(mocks.Mocks):
    """Every resource gets its inputs back as outputs; one of AWS also what AWS would make up."""

    def new_resource(self, args: mocks.MockResourceArgs) -> tuple[str, dict[str, Any]]:
        if args.typ.startswith("aws:"):
            return f"{args.name}-id", {**_made_up(args.typ, args.name), **args.inputs}
        return f"{args.name}-id", dict(args.inputs)

    def call(self, args: mocks.MockCallArgs) -> dict[str, Any]:
        raise AssertionError(f"the program asks {args.token}: a graph must not need the network")


MADE_UP = (
    "address", "apiEndpoint", "arn", "endpoint", "executionArn", "invokeArn", "keyId",
    "prefixListId", "primaryEndpointAddress", "repositoryUrl", "stageUrl",
    "trackingServerUrl", "url",
)  # fmt: skip
"""Outputs that only AWS knows: a stand-in text that names resource and property."""


def _made_up(typ: str, name: str) -> dict[str, str]:
    short = typ.rpartition(":")[2]
    found = {each: f"{{{short}.{name}.{each}}}" for each in MADE_UP}
    return {**found, "arn": f"arn:aws:{typ.split(':')[1].partition('/')[0]}:::{short}/{name}"}


class _Recorder(mocks.MockMonitor):
    def __init__(self) -> None:
        super().__init__(_Echo())
        self.requests: list[dict[str, Any]] = []
        self.transforms: list[Any] = []
        self._lock = threading.Lock()

    def RegisterResource(self, request: Any) -> Any:  # noqa: N802 - the protocol's name
        with self._lock:
            raw = MessageToDict(request)
            self.requests.append(raw)
        answer = super().RegisterResource(request)
        raw["urn"] = answer.urn
        return answer


@dataclass(frozen=True)
class Node:
    """One registration."""

    urn: str
    raw: dict[str, Any] = field(repr=False)

    @property
    def type(self) -> str:
        return str(self.raw["type"])

    @property
    def name(self) -> str:
        return str(self.raw["name"])

    @property
    def inputs(self) -> dict[str, Any]:
        return dict(self.raw.get("object") or {})

    @property
    def parent(self) -> str:
        return str(self.raw.get("parent", ""))

    @property
    def dependencies(self) -> list[str]:
        return sorted(self.raw.get("dependencies") or [])

    @property
    def provider(self) -> str:
        given = self.raw.get("provider") or ""
        return str(given or next(iter((self.raw.get("providers") or {}).values()), ""))


@dataclass(frozen=True)
class Graph:
    nodes: tuple[Node, ...]
    outputs: dict[str, Any]
    transforms: int

    def of(self, type_token: str) -> list[Node]:
        return [node for node in self.nodes if node.type == type_token]

    def __getitem__(self, name: str) -> Node:
        found = [node for node in self.nodes if node.name == name]
        assert len(found) == 1, f"{name}: {len(found)}"
        return found[0]

    def golden(self) -> str:
        """Stable text: no secret, no order of threads, no path of this machine."""
        from mlops_infra import places
        from mlops_infra.components.onprem import without_links

        listed = [
            {
                "urn": node.urn.partition("::")[2],
                "parent": node.parent.rpartition("::")[2],
                "dependsOn": [urn.rpartition("::")[2] for urn in node.dependencies],
                "provider": node.provider.rpartition("::")[0].rpartition("::")[2],
                "inputs": _shown(node.inputs),
                **({"protect": True} if node.raw.get("protect") else {}),
                **({"retainOnDelete": True} if node.raw.get("retainOnDelete") else {}),
            }
            for node in sorted(self.nodes, key=lambda n: n.urn)
        ]
        document = {"outputs": self.outputs, "resources": listed, "transforms": self.transforms}
        text = json.dumps(document, indent=1, sort_keys=True, ensure_ascii=False)
        charts = places.project() / "charts"
        for path, name in (
            (without_links(charts), "{project}/charts"),
            (places.project(), "{project}"),
            (places.data(), "{data}"),
        ):
            text = text.replace(str(path), name)
        return f"{text}\n"


def _shown(value: Any) -> Any:
    if isinstance(value, dict):
        if value.get(SECRET) == SIGNATURE:
            return "[secret]"
        return {key: _shown(each) for key, each in value.items() if key != "__internal"}
    if isinstance(value, list):
        return [_shown(each) for each in value]
    return value


def record(program: Callable[[], None], *, stack: str, config: dict[str, Any]) -> Graph:
    """Run `program` for `stack` with `config`, keys without namespace."""
    recorder = _Recorder()
    outputs: dict[str, Any] = {}

    def run() -> None:
        with declaration.event_loop() as loop:
            mocks.set_mocks(_Echo(), project="mlops-infra", stack=stack, monitor=recorder)
            given = {
                f"mlops-infra:{key}": value if isinstance(value, str) else json.dumps(value)
                for key, value in config.items()
            }
            pulumi.runtime.set_all_config(given)
            loop.run_until_complete(
                run_pulumi_func(lambda: _declare(program, outputs, recorder.transforms))
            )

    declaration.in_own_thread(run)
    nodes = [
        Node(each["urn"], each)
        for each in recorder.requests
        if each["type"] != "pulumi:pulumi:Stack"
    ]
    return Graph(tuple(nodes), outputs, len(recorder.transforms))


def _keep(outputs: dict[str, Any], name: str, value: Any) -> None:
    """Export `name`, once it is known where it waits for a resource."""
    outputs[name] = None
    pulumi.Output.from_input(value).apply(lambda found: outputs.__setitem__(name, found))


def _declare(program: Callable[[], None], outputs: dict[str, Any], transforms: list[Any]) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pulumi, "export", lambda name, value: _keep(outputs, name, value))
        # mocks have no server that would call a transform back: count, and test its function alone
        patch.setattr(pulumi.runtime, "register_resource_transform", transforms.append)
        program()
