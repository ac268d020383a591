"""Writes the generated documents: `make docs`; `--check` only compares.

* docs/reference/commands.md from the commands themselves
* docs/reference/aws.md from the tables of prices and permissions
* docs/reference/images.md, its table of images, from the recipes
* docs/performance.md and docs/performance.ko.md from docs/measured.json
* docs/terminal.svg from docs/capture.txt
* values.schema.json of every chart from the shared part and the chart's own
"""

from __future__ import annotations

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from docs import aws_tables, commands, images, performance, terminal  # noqa: E402 - not installed
from scripts import chart_schemas  # noqa: E402 - not installed either

DOCS = ROOT / "docs"


def main(arguments: list[str]) -> int:
    """Write the files that differ; with `--check`, name them and return 1."""
    pages = {
        DOCS / "reference" / "commands.md": commands.reference(),
        DOCS / "reference" / "aws.md": aws_tables.aws_tables(),
        DOCS / "reference" / "images.md": images.filled(),
        DOCS / "performance.md": performance.page(korean=False),
        DOCS / "performance.ko.md": performance.page(korean=True),
        DOCS / "terminal.svg": terminal.picture(),
        **chart_schemas.generated(),
    }
    stale = [f for f, text in pages.items() if not f.exists() or f.read_text("utf-8") != text]
    if "--check" in arguments:
        for file in stale:
            print(f"{file.relative_to(ROOT)} is not as generated; next: make docs")
        return int(bool(stale))
    for file in stale:
        file.write_text(pages[file], encoding="utf-8")
        print(f"wrote {file.relative_to(ROOT)}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
