"""What is in an image, as a CycloneDX 1.6 document without a time stamp or a random number."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from typing import Any
from urllib.parse import quote

from mlops_infra.images import oci
from mlops_infra.images.locks import Package

_SPACE = uuid.UUID("7c1d6a0e-8a55-5d0c-9a57-0b7c3a1f4e21")


def debian_component(package: Package, suite: str, licence: str | None) -> dict[str, object]:
    """A Debian package; `licence` in the words of its copyright file."""
    qualifiers = f"arch={package.architecture}&distro={suite}"
    purl = f"pkg:deb/debian/{quote(package.name)}@{quote(package.version)}?{qualifiers}"
    component: dict[str, object] = {
        "type": "library",
        "bom-ref": purl,
        "name": package.name,
        "version": package.version,
        "purl": purl,
        "hashes": [{"alg": "SHA-256", "content": package.sha256}],
        "properties": [{"name": "debian:source", "value": package.source}],
    }
    return _with_licence(component, name=licence)


def python_component(
    name: str, version: str, expression: str | None, licence: str | None
) -> dict[str, object]:
    """A wheel; `expression` is SPDX, `licence` the older free text."""
    purl = f"pkg:pypi/{name.lower().replace('_', '-')}@{quote(version)}"
    return _with_licence(
        {"type": "library", "bom-ref": purl, "name": name, "version": version, "purl": purl},
        expression,
        licence,
    )


def binary_component(
    name: str, version: str, module: str, licence: str, sha256: str
) -> dict[str, object]:
    """A static binary built from a Go module."""
    purl = f"pkg:golang/{module}@{quote(version)}"
    component: dict[str, object] = {
        "type": "application",
        "bom-ref": purl,
        "name": name,
        "version": version,
        "purl": purl,
        "hashes": [{"alg": "SHA-256", "content": sha256}],
    }
    return _with_licence(component, licence)


def program_component(version: str, key: str) -> dict[str, object]:
    """This repository's own packages."""
    purl = f"pkg:generic/mlops-infra@{version}?checksum=sha256:{key}"
    return _with_licence(
        {
            "type": "application",
            "bom-ref": purl,
            "name": "mlops-infra",
            "version": version,
            "purl": purl,
        },
        "Apache-2.0",
    )


def _with_licence(
    component: dict[str, object], expression: str | None = None, name: str | None = None
) -> dict[str, object]:
    if expression:
        return component | {"licenses": [{"expression": expression}]}
    return component | {"licenses": [{"license": {"name": name}}]} if name else component


def document(name: str, version: str, digest: str, components: Iterable[dict[str, Any]]) -> bytes:
    """The SBOM of image `name` with manifest `digest`."""
    unique = {component["bom-ref"]: component for component in components}
    return oci.encode(
        {
            "bomFormat": "CycloneDX",
            "specVersion": "1.6",
            "serialNumber": f"urn:uuid:{uuid.uuid5(_SPACE, digest)}",
            "version": 1,
            "metadata": {
                "component": {
                    "type": "container",
                    "bom-ref": f"pkg:oci/{name}@{quote(digest)}",
                    "name": name,
                    "version": version,
                    "purl": f"pkg:oci/{name}@{quote(digest)}",
                    "hashes": [{"alg": "SHA-256", "content": digest.removeprefix("sha256:")}],
                },
                "tools": {"components": [{"type": "application", "name": "mlops-infra"}]},
            },
            "components": [unique[ref] for ref in sorted(unique)],
        }
    )
