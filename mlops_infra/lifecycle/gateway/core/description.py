"""What a model tells about itself, in both forms of the protocol."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mlops_infra import __version__
from mlops_infra.lifecycle.gateway.core.fields import Field
from mlops_infra.lifecycle.gateway.core.table import Loaded, Served

PLATFORM = "mlops-infra"
SERVER = {"name": PLATFORM, "version": __version__, "extensions": ["binary_tensor_data"]}


def inputs(served: Served) -> list[dict[str, Any]]:
    """Name, datatype and shape of its inputs, -1 for the rows."""
    return [_input(each) for each in served.fields]


def outputs(served: Served) -> list[dict[str, Any]]:
    """Name, datatype and shape of its outputs; empty before it has answered anything."""
    return [dict(each) for each in served.experience.outputs]


def model(loaded: Loaded, served: Served) -> dict[str, Any]:
    """The protocol's metadata of one version, and who gets which share of the traffic."""
    route, challenger = loaded.route, loaded.route.challenger
    return {
        "name": route.model,
        "versions": list(loaded.versions),
        "platform": PLATFORM,
        "inputs": inputs(served),
        "outputs": outputs(served),
        "ranges": dict(served.target.ranges),
        "champion": {"version": route.champion.version, "server": route.champion.server},
        "challenger": challenger
        and {
            "version": challenger.version,
            "server": challenger.server,
            "share": route.share,
            "shadow": route.shadow,
        },
    }


def _input(field: Field) -> dict[str, Any]:
    # the widest datatype that carries it; a column has one value in each row
    datatype = max(field.datatypes, key=_width, default="BYTES")
    told: Mapping[str, Any] = {"type": field.kind, "required": field.required}
    shape = list(field.shape or (-1, 1))
    return {"name": field.name, "datatype": datatype, "shape": shape, "parameters": told}


def _width(datatype: str) -> tuple[int, str]:
    digits = "".join(filter(str.isdigit, datatype))
    return int(digits or 0), datatype
