"""The protocol's generated stubs, without the Pulumi SDK around them.

`import pulumi` costs 0.45 s, and the engine starts this plugin for every preview and every update.
So where the SDK is not loaded already, its two parent packages are replaced for a moment by empty
ones that know only where their submodules lie.
"""

from __future__ import annotations

import sys
from importlib import import_module
from importlib.machinery import PathFinder
from types import ModuleType
from typing import Any

_PARENTS = ("pulumi", "pulumi.runtime", "pulumi.runtime.proto")
_STUBS = (
    "provider_pb2",
    "provider_pb2_grpc",
    "resource_pb2",
    "resource_pb2_grpc",
    "engine_pb2",
    "engine_pb2_grpc",
    "plugin_pb2",
    "status_pb2",
)


def _load() -> dict[str, Any]:
    if "pulumi" in sys.modules:
        return {name: import_module(f"{_PARENTS[-1]}.{name}") for name in _STUBS}
    spec = PathFinder.find_spec("pulumi")
    if spec is None or not spec.submodule_search_locations:
        raise ModuleNotFoundError("the stand-in Kubernetes provider needs the package pulumi")
    folder = spec.submodule_search_locations[0]
    for name in _PARENTS:
        module = ModuleType(name)
        module.__path__ = ["/".join([folder, *name.split(".")[1:]])]
        sys.modules[name] = module
    try:
        return {name: import_module(f"{_PARENTS[-1]}.{name}") for name in _STUBS}
    finally:
        # a later `import pulumi` in this process must find the real package
        for name in [m for m in sys.modules if m == "pulumi" or m.startswith("pulumi.")]:
            del sys.modules[name]


_stubs = _load()
provider: Any = _stubs["provider_pb2"]
provider_grpc: Any = _stubs["provider_pb2_grpc"]
resource: Any = _stubs["resource_pb2"]
resource_grpc: Any = _stubs["resource_pb2_grpc"]
engine: Any = _stubs["engine_pb2"]
engine_grpc: Any = _stubs["engine_pb2_grpc"]
plugin: Any = _stubs["plugin_pb2"]
status: Any = _stubs["status_pb2"]

Empty: Any = import_module("google.protobuf.empty_pb2").Empty
