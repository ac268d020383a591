"""Names below the root of an installation; no other module of this room spells one out.

::

    <root>/releases/<id>/bundle/       the bundle as one folder: links to where it lies, or copies
    <root>/releases/<id>/bin/          pulumi, helm, kubectl
    <root>/releases/<id>/pulumi/       PULUMI_HOME with the provider plugins
    <root>/releases/<id>/venv/         mlops-infra and what it needs, from the bundled wheels
    <root>/releases/<id>/charts/       packaged Helm charts
    <root>/releases/<id>/registries/   certs.d (containerd), registries.conf, registries.yaml (k3s)
    <root>/releases/<id>/environment   exports for a shell
    <root>/releases/<id>/complete      written last
    <root>/current                     link to the release in use, changed by one rename
    <root>/environment                 link into `current`
    <root>/cache/                      what runs of mlops-infra keep
    <root>/.mlops-infra                says that this folder is ours to remove
"""

from __future__ import annotations

from pathlib import Path

RELEASES = "releases"
CURRENT = "current"
ENVIRONMENT = "environment"
CACHE = "cache"
MARK = ".mlops-infra"
COMPLETE = "complete"
LOCK = ".lock"

BUNDLE = "bundle"
BIN = "bin"
PULUMI = "pulumi"
VENV = "venv"
CHARTS = "charts"
REGISTRIES = "registries"


def release(root: Path, identity: str) -> Path:
    """Folder of one release; `identity` names its bundle and its options."""
    return root / RELEASES / identity
