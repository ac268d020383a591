"""The table of pins in the reference page is the one that the program uses."""

from mlops_infra.toolchain import pins
from tests.golden import ROOT, compare

PAGE = ROOT / "docs" / "reference" / "toolchain.md"
MARKER = "<!-- tests/unit/toolchain/test_reference.py compares this table with tools.yaml -->\n"


def table() -> str:
    lines = ["| tool | version | licence | Go module | pinned archives |", "|---|---|---|---|---|"]
    for pin in pins().values():
        archives = ", ".join(pin.archives) or "none"
        cells = (pin.name, pin.version, pin.family.licence, f"`{pin.family.module}`", archives)
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def test_the_reference_page_has_the_pins_of_the_program():
    compare(PAGE, PAGE.read_text("utf-8").partition(MARKER)[0] + MARKER + "\n" + table())
