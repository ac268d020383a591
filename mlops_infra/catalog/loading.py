"""Reads the catalog's files into records and refuses what does not fit them."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from mlops_infra.catalog.model import (
    Catalog,
    CatalogSecret,
    Component,
    Image,
    Licence,
    Port,
    User,
)
from mlops_infra.catalog.secrets import condition, recipe
from mlops_infra.catalog.spdx import alternatives

DATA = Path(__file__).resolve().parent / "data"
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


@functools.cache
def load_catalog(folder: Path = DATA) -> Catalog:
    """All components of `folder`, in the order of their names; read once a process.

    Raises:
        ValueError: a file of this release is wrong; a test reads them all.
    """
    found: dict[str, Component] = {}
    for file in sorted(folder.glob("*.yaml")):
        body = yaml.load(file.read_text(encoding="utf-8"), Loader=_LOADER)  # noqa: S506 - safe one
        try:
            component = _component(body)
        except (KeyError, TypeError, ValueError) as error:
            raise ValueError(f"{file}: {error}") from error
        if component.name != file.stem:
            raise ValueError(f"{file}: holds '{component.name}'")
        found[component.name] = component
    return Catalog(found)


def _component(body: Mapping[str, Any]) -> Component:
    plain = dict(body)
    licences = tuple(_licence(each) for each in plain.pop("licences"))
    reason = plain.pop("unavailable", None)
    return Component(
        licences=licences,
        available=reason is None,
        reason=reason,
        needs=tuple(plain.pop("needs", ())),
        uses=tuple(plain.pop("uses", ())),
        provides=tuple(plain.pop("provides", ())),
        crds=tuple(plain.pop("crds", ())),
        kinds=tuple(plain.pop("kinds", ())),
        images=tuple(_image(role, each) for role, each in plain.pop("images", {}).items()),
        ports=tuple(Port(name=name, **each) for name, each in plain.pop("ports", {}).items()),
        secrets=tuple(
            _secret(plain["name"], name, each) for name, each in plain.pop("secrets", {}).items()
        ),
        **plain,
    )


def _secret(component: str, name: str, body: Mapping[str, Any]) -> CatalogSecret:
    plain = dict(body)
    keys = {key: recipe(key, text) for key, text in plain.pop("keys").items()}
    when = condition(component, plain.pop("when", None))
    return CatalogSecret(name=name, keys=keys, when=when, **plain)


def _licence(body: Mapping[str, str]) -> Licence:
    licence = Licence(**body)
    alternatives(licence.spdx)  # a slip must not wait until the gate reads it
    return licence


def _image(role: str, body: Mapping[str, Any]) -> Image:
    plain = dict(body)
    licence = plain.pop("licence", None)
    return Image(
        role=role,
        phase=plain.pop("phase"),
        recipe=plain.pop("recipe", None),
        upstream=plain.pop("upstream", None),
        licence=_licence(licence) if licence else None,
        built_user=_user(plain.pop("built_user", None)),
        upstream_user=_user(plain.pop("upstream_user", None)),
        **plain,
    )


def _user(text: str | None) -> User | None:
    """`1000:1000` as numbers."""
    if text is None:
        return None
    user, _, group = text.partition(":")
    return User(int(user), int(group))
