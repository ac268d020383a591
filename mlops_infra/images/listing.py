"""What images there are and which of them are built; nothing is fetched."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass

from mlops_infra.images import builder, keys
from mlops_infra.images import recipe as recipes


@dataclass(frozen=True, slots=True)
class Listed:
    """One image as `mlops-infra images list` shows it."""

    name: str
    reference: str
    description: str
    licences: str
    user: str | None
    """`uid:gid`; None for a root file system that is not run as a container."""
    digest: str | None
    """Of the image manifest; None where it is not built."""
    size: int | None
    """Bytes of all layers."""
    sbom: str | None
    """Digest of the manifest that holds the CycloneDX document."""
    layout: str | None

    def as_dict(self) -> dict[str, object]:
        """For `--json`."""
        return asdict(self)


def listing(names: Iterable[str] = ()) -> tuple[Listed, ...]:
    """The images `names`, or all, in alphabetical order.

    Raises:
        InputError: no such recipe, or it is not locked.
    """
    return tuple(_listed(name) for name in sorted(set(names) or recipes.names()))


def _listed(name: str) -> Listed:
    recipe = recipes.load(name)
    built = builder.find(name)
    return Listed(
        name=name,
        reference=keys.reference(name),
        description=recipe.description,
        licences=recipe.licences,
        user=recipe.run.user if recipe.run else None,
        digest=built.digest if built else None,
        size=built.size if built else None,
        sbom=built.sbom if built else None,
        layout=str(built.layout) if built else None,
    )
