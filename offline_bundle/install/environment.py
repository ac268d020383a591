"""The file that a shell reads before it works with an installed bundle."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from pathlib import Path

from mlops_infra import contract
from offline_bundle import layout
from offline_bundle.install import places
from offline_bundle.install.redirects import CERTS

SWITCHES: Mapping[str, str] = {
    # Pulumi: no question for a newer version, no download of a plugin, no look into its registry
    "PULUMI_SKIP_UPDATE_CHECK": "true",
    "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION": "true",
    "PULUMI_DISABLE_REGISTRY_RESOLVE": "true",
    "PULUMI_SUPPRESS_NEO_LINK": "true",
    "PULUMI_NEO": "false",
    # installers of wheels: the bundle's, from no index
    "PIP_NO_INDEX": "1",
    "PIP_DISABLE_PIP_VERSION_CHECK": "1",
    "UV_OFFLINE": "1",
    "UV_NO_INDEX": "1",
    "UV_PYTHON_DOWNLOADS": "never",
    "GOPROXY": "off",
    "GOTOOLCHAIN": "local",
    "DO_NOT_TRACK": "1",
}
"""Beside an open network each of these programs asks somebody something; here none may try."""


def text(root: Path, *, mirrored: bool) -> str:
    """Exports for the installation in `root`; they name `current`, so they outlive a release.

    `mirrored`: it says where nodes pull from, for the embedded cluster's one as well.
    """
    current = root / places.CURRENT
    bundle = current / places.BUNDLE
    wheels = str(bundle / layout.WHEELS)
    found = {
        **SWITCHES,
        "PULUMI_HOME": str(current / places.PULUMI),
        contract.BUNDLE_VARIABLE: str(bundle),
        contract.CACHE_VARIABLE: str(root / places.CACHE),
        "PIP_FIND_LINKS": wheels,
        "UV_FIND_LINKS": wheels,
    }
    if mirrored:
        found[contract.REGISTRIES_VARIABLE] = str(current / places.REGISTRIES / CERTS)
    lines = [f"export {name}={shlex.quote(value)}" for name, value in sorted(found.items())]
    folders = f"{current / places.VENV / 'bin'}:{current / places.BIN}"
    return "\n".join([*lines, f'export PATH={shlex.quote(folders)}:"$PATH"', ""])
