"""What a bundle consists of, as one CycloneDX 1.6 document without a date or a random number."""

from __future__ import annotations

import json
import uuid
from urllib.parse import quote

from mlops_infra import __version__
from offline_bundle.model import Lock, LockedFile, LockedImage

_SPACE = uuid.UUID("2b8f9f5e-33f4-5ed2-9d44-6c0c8f0a7b51")


def document(lock: Lock) -> bytes:
    """The bill of materials of the bundle that `lock` describes.

    What is inside of the images is told by the documents that the images carry themselves.
    """
    components = [*map(_image, lock.images), *map(_file, lock.files)]
    listed = "\n".join(str(component["bom-ref"]) for component in components)
    name = lock.stack or "additions"
    bill = {
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "serialNumber": f"urn:uuid:{uuid.uuid5(_SPACE, listed)}",
        "version": 1,
        "metadata": {
            "component": {"type": "application", "bom-ref": "bundle", "name": f"bundle-{name}"},
            "tools": {
                "components": [
                    {"type": "application", "name": "mlops-infra", "version": __version__}
                ]
            },
        },
        "components": components,
        "dependencies": [
            {"ref": "bundle", "dependsOn": sorted({str(c["bom-ref"]) for c in components})}
        ],
    }
    return (json.dumps(bill, indent=1, sort_keys=True) + "\n").encode()


def _image(image: LockedImage) -> dict[str, object]:
    name = image.repository.rpartition("/")[2]
    where = quote(image.repository, safe="")
    purl = f"pkg:oci/{quote(name)}@{quote(image.digest)}?repository_url={where}"
    component: dict[str, object] = {
        "type": "container",
        # one digest may go by several references
        "bom-ref": f"{purl}#{quote(image.reference)}",
        "name": image.reference,
        "version": image.digest,
        "purl": purl,
        "hashes": [{"alg": "SHA-256", "content": image.digest.removeprefix("sha256:")}],
    }
    return _licensed(component, image.licence)


_TYPES = {
    "chart": "application",
    "wheel": "library",
    "plugin": "application",
    "binary": "application",
    "file": "file",
}


def _file(file: LockedFile) -> dict[str, object]:
    version = quote(file.version)
    purls = {
        "wheel": f"pkg:pypi/{quote(file.name)}@{version}",
        "chart": f"pkg:helm/{quote(file.name)}@{version}",
    }
    purl = purls.get(file.kind, f"pkg:generic/{quote(file.name)}@{version}")
    component: dict[str, object] = {
        "type": _TYPES[file.kind],
        "bom-ref": f"{purl}?file={quote(file.filename, safe='')}",
        "name": file.name,
        "version": file.version,
        "purl": purl.removesuffix("@"),
        "hashes": [{"alg": "SHA-256", "content": file.sha256}],
    }
    return _licensed(component, file.licence)


def _licensed(component: dict[str, object], licence: str | None) -> dict[str, object]:
    if licence:
        component["licenses"] = [{"expression": licence}]
    return component
