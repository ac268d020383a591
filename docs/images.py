"""The table of images in docs/reference/images.md, from the recipes."""

from __future__ import annotations

import re
from pathlib import Path

from mlops_infra.images import recipe as recipes

PAGE = Path(__file__).with_name("reference") / "images.md"
_TABLE = re.compile(r"(<!-- images:begin -->\n).*?(<!-- images:end -->)", re.DOTALL)


def filled() -> str:
    """The page with its table between the markers."""
    lines = ["| image | content | runs as | base |", "|---|---|---|---|"]
    for name in recipes.names():
        recipe = recipes.load(name)
        user = recipe.run.user if recipe.run else "-"
        base = f"`{recipe.base}`" if recipe.base else "none"
        lines.append(f"| `{name}` | {recipe.description} | {user} | {base} |")
    page, found = _TABLE.subn(
        lambda match: "\n".join([match[1].rstrip(), *lines, match[2]]),
        PAGE.read_text(encoding="utf-8"),
    )
    if found != 1:
        raise SystemExit(f"{PAGE.name}: expected the markers images:begin and images:end once")
    return page
