"""How the commands of `mlops-infra toolchain` show what there is."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlops_infra.cli import output

if TYPE_CHECKING:
    from mlops_infra.toolchain import Listed


def show(rows: tuple[Listed, ...], as_json: bool) -> None:
    """Write the list to stdout."""
    if as_json:
        output.document([row.as_dict() for row in rows])
        return
    output.table(
        ("tool", "version", "source", "came from", "MiB", "path"),
        [
            (
                row.name,
                row.version,
                row.source or "missing",
                row.origin,
                None if row.size is None else row.size >> 20,
                row.path,
            )
            for row in rows
        ],
    )
    for row in rows:
        for reason in row.passed_over:
            output.text(f"{row.name}: skipped {reason}")
    for row in rows:
        if row.no_archive:
            output.text(f"{row.name}: compiled, no archive: {row.no_archive}")
    if missing := [row.name for row in rows if row.source is None]:
        output.text(f"{len(missing)} missing; mlops-infra toolchain install {' '.join(missing)}")
