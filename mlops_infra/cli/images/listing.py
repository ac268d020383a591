"""How the commands of `mlops-infra images` show what there is."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlops_infra.cli import output

if TYPE_CHECKING:
    from mlops_infra.images import Listed


def show(rows: tuple[Listed, ...], as_json: bool) -> None:
    """Write the list to stdout."""
    if as_json:
        output.document([row.as_dict() for row in rows])
        return
    output.table(
        ("image", "reference", "digest", "MiB", "user"),
        [
            (
                row.name,
                row.reference,
                row.digest[:19] if row.digest else None,
                None if row.size is None else row.size >> 20,
                row.user,
            )
            for row in rows
        ],
    )
    if missing := [row.name for row in rows if row.digest is None]:
        output.text(f"{len(missing)} not built; mlops-infra images build {' '.join(missing)}")
