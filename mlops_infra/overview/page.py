"""The overview as one HTML page without scripts or anything fetched from elsewhere."""

from __future__ import annotations

from importlib import resources

from mlops_infra.overview.model import ComponentState, Overview

_ORDER = (
    "tenants", "serving", "watching", "training", "tracking", "features", "data", "foundation",
)  # fmt: skip


def render(overview: Overview) -> str:
    """The page; every value in it is escaped."""
    from jinja2 import Environment

    source = resources.files("mlops_infra.overview").joinpath("page.html.j2")
    template = Environment(autoescape=True, trim_blocks=True, lstrip_blocks=True).from_string(
        source.read_text(encoding="utf-8")
    )
    return template.render(
        overview=overview, layers=_layers(overview), problems=overview.problems()
    )


def _layers(overview: Overview) -> list[tuple[str, list[ComponentState]]]:
    """Rows of the picture from the people's side down to the ground."""
    rows = ((name, [c for c in overview.components if c.layer == name]) for name in _ORDER)
    return [(name, found) for name, found in rows if found]
