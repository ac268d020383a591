"""What the tests must know of one chart beside its files: a module for each, named after it."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

Values = dict[str, Any]


@dataclass(frozen=True)
class Case:
    """One chart."""

    namespace: str
    """Where it stands in the examples."""
    values: Values = field(default_factory=dict)
    """Without these, or others in their place, it renders nothing worth a test."""
    variants: Sequence[Values] = ()
    """Further values that its objects must keep all rules with."""
    refused: Sequence[tuple[Values, str]] = ()
    """Values that its schema refuses, and the word that the message holds."""
    stateful: bool = False
    """Whether it has one volume with data in it, the kind that an upgrade must not touch."""
    maps_by_name: Mapping[str, str] = field(default_factory=dict)
    """ConfigMaps that others find by a fixed name, with the reason."""
    other_namespaces: tuple[str, ...] = ()
    """Where it puts objects beside its own namespace."""
    breaks: Mapping[str, str] = field(default_factory=dict)
    """Findings of the hardening rules that are meant, as shell patterns, with the reason."""


def cases() -> dict[str, Case]:
    """The case of each chart that has one."""
    names = [module.name for module in pkgutil.iter_modules(__path__)]
    modules = [importlib.import_module(f"{__name__}.{name}") for name in names]
    return {
        name.replace("_", "-"): module.CASE for name, module in zip(names, modules, strict=True)
    }
