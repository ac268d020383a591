"""`delta.json`: the base of a differential bundle, and what it leaves to that base.

The list of files (bundle.json) of a difference is that of the whole bundle, with its signature. So
base and difference together are the whole bundle, and the same checks say so. This file only
explains why something is not here; it need not be trusted.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Literal

from mlops_infra.errors import InputError
from offline_bundle import layout
from offline_bundle.sealing.paths import require_safe

FORMAT = "mlops-infra.delta/1"
BaseKind = Literal["bundle", "receipt"]


@dataclass(frozen=True, slots=True)
class Delta:
    """A difference to `base`."""

    base: str
    """Identity of the base: of its bundle.json, or of the bundle that the receipt is about."""
    kind: BaseKind
    absent: tuple[str, ...]
    """Paths of bundle.json that are left to the base, sorted."""

    def encode(self) -> bytes:
        """The bytes of `delta.json`."""
        raw = {"format": FORMAT, "base": self.base, "kind": self.kind, "absent": list(self.absent)}
        return (json.dumps(raw, indent=1, ensure_ascii=True) + "\n").encode()


def parse(raw: bytes) -> Delta:
    """Read the bytes of a `delta.json`.

    Raises:
        InputError: they are damaged.
    """
    try:
        value = json.loads(raw)
        if set(value) != {"format", "base", "kind", "absent"} or value["format"] != FORMAT:
            raise InputError(f"{layout.DELTA} is not of the format {FORMAT}")
        if value["kind"] not in {"bundle", "receipt"} or not isinstance(value["base"], str):
            raise InputError(f"{layout.DELTA} has no base")
        return Delta(value["base"], value["kind"], tuple(map(require_safe, value["absent"])))
    except (ValueError, TypeError, AttributeError, RecursionError) as error:
        raise InputError(f"{layout.DELTA} is damaged: {error}") from error
