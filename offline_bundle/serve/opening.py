"""From folders to a site: nothing is served before its seal was checked."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from mlops_infra.progress import Sink, quiet
from offline_bundle.serve.access import read_accounts
from offline_bundle.serve.catalogue import catalogue
from offline_bundle.serve.site import Site
from offline_bundle.verify import verify
from offline_bundle.volumes import open_source


def opened(
    folders: Sequence[Path],
    *,
    key: Path | None = None,
    base: Sequence[Path] = (),
    partial: bool = False,
    accounts: Path | None = None,
    sink: Sink = quiet,
) -> Site:
    """Check the bundle in `folders` (one, or volumes in any order) and open it.

    Args:
        folders: where it lies.
        key: public key that it has to be signed with.
        base: the bundle that a difference was made against.
        partial: serve what lies on the volumes that are given.
        accounts: file of `name:password` lines; everybody may read where None.
        sink: for progress.

    Raises:
        FoundError: the bundle is not what was sealed, or not whole.
        InputError, MissingError: there is no bundle, no such key, or the accounts cannot be used.
    """
    allowed = read_accounts(accounts) if accounts else None
    verify(folders, key=key, base=base, partial=partial, sink=sink).require_clean()
    source = open_source(folders, base=base)
    return Site(source, catalogue(source), allowed)
