"""Downloads an image whose digest is known, for the tools that are released as images alone."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

from mlops_infra.progress import Step
from mlops_infra.toolchain.download import DownloadError, download
from mlops_infra.transport import bare

_MANIFESTS = (
    "application/vnd.oci.image.manifest.v1+json",
    "application/vnd.docker.distribution.manifest.v2+json",
)


def layers(url: str, checksum: str, work: Step) -> Iterator[Path]:
    """Its layers as archives, the topmost first, each downloaded when it is asked for.

    Every layer is checked against the manifest, and the manifest against `checksum`.

    Args:
        url: the manifest of one platform (`https://HOST/v2/NAME/manifests/sha256:…`) in a registry
            that asks for no login.
        checksum: `sha256:<hex>` of the manifest.

    Raises:
        DownloadError: one cannot be had, or is another than the manifest says.
    """
    file = download(url, checksum, work, accept=", ".join(_MANIFESTS))
    try:
        digests = [layer["digest"] for layer in json.loads(file.read_bytes())["layers"]]
    except (ValueError, KeyError, TypeError) as error:
        raise DownloadError(f"{bare(url)} is not the manifest of one platform's image") from error
    finally:
        file.unlink()
    blobs = f"{url.rpartition('/manifests/')[0]}/blobs"
    for digest in reversed(digests):
        yield download(f"{blobs}/{digest}", digest, work)
