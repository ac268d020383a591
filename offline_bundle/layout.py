"""Names of files and folders inside of a bundle; no other module spells one out.

::

    oci-layout index.json blobs/sha256/<hex>     OCI image layout 1.0.0, no outer compression
    bundle.json                                  the list of every file: path, kind, size, sha256
    bundle.json.sig                              its signature (base64 ECDSA, `cosign verify-blob`)
    bundle.lock                                  the lock that it was built from
    binaries/SHA256SUMS
    binaries/<program>-<version>-<os>-<arch>     as the toolchain room reads it
    plugins/pulumi-resource-<n>-v<v>-<os>-<arch>.tar.gz
    wheels/simple/<project>/…                    PEP 503 and 691 tree with PEP 658 metadata
    files/<path>                                 free additions
    sbom/ licences.json                          what is in it, and under which terms

Charts lie in the OCI layout as Helm's OCI charts, `mlops-infra.local/charts/<name>:<version>`.

The order of a build, and who is called (offline_bundle/build):

1. blobs of images: `offline_bundle.fetch`
2. `offline_bundle.pack.pack(lock, folder, sink) -> tuple[Descriptor, ...]`: brings every
   `LockedFile` in, taking each from `offline_bundle.pack.obtaining.obtain(file, sink) -> Path`;
   it returns the descriptors that have to be in index.json (charts), annotated as below
3. `index.json`, `oci-layout`, `bundle.lock`, `licences.json`, `sbom/`
4. `offline_bundle.sealing.seal(folder, lock, key=…) -> Sealed`: writes bundle.json and signature
5. volumes
"""

from __future__ import annotations

from pathlib import Path

OCI_LAYOUT = "oci-layout"
OCI_LAYOUT_CONTENT = b'{"imageLayoutVersion":"1.0.0"}'
INDEX = "index.json"
BLOBS = "blobs"
BUNDLE = "bundle.json"
SIGNATURE = "bundle.json.sig"
SIGSTORE = "bundle.sigstore.json"
"""The same signature as a Sigstore bundle; what `cosign verify-blob --bundle` reads."""
DELTA = "delta.json"
"""Only in a differential bundle: its base, and what is not here because the base has it."""
VOLUME = "volume.json"
"""Only in a volume: which one of which set it is, and what lies in each."""
CHUNKS = "chunks"
"""Only in a volume: parts of files that are larger than a volume."""
UNLISTED = frozenset({BUNDLE, SIGNATURE, SIGSTORE, DELTA, VOLUME})
"""What bundle.json does not list: it cannot list itself, the rest belongs to one copy of it."""
LOCK = "bundle.lock"
BINARIES = "binaries"
BINARY_SUMS = "binaries/SHA256SUMS"
PLUGINS = "plugins"
WHEELS = "wheels"
FILES = "files"
SBOM = "sbom"
BUNDLE_SBOM = "sbom/bundle.cdx.json"
LICENCES = "licences.json"

WORK = ".building"
"""Folder of a build that is under way: partial blobs, stamps. Gone when the bundle is complete."""
PARTIAL = ".building/partial"
WRITER = ".building/writer"
"""Locked by the one process that writes (flock)."""

CHART_REPOSITORY = "mlops-infra.local/charts"
"""No such registry exists: what is made here is pushed under another name."""

REF_NAME = "org.opencontainers.image.ref.name"
"""The whole reference; what `skopeo copy oci:DIR:REF` looks for. Absent on referrers."""
CONTAINERD_NAME = "io.containerd.image.name"
"""The whole reference again; what `ctr images import` looks for."""
REPOSITORY = "dev.mlops-infra.repository"
"""Repository that a descriptor of index.json belongs to; on each, also where it has no name."""
KIND = "dev.mlops-infra.kind"
"""`image`, `signature` (anything attached by tag or as a referrer) or `chart`."""

MANIFEST_TYPE = "application/vnd.oci.image.manifest.v1+json"
DOCKER_MANIFEST_TYPE = "application/vnd.docker.distribution.manifest.v2+json"
ARTIFACT_TYPE = "application/vnd.oci.artifact.manifest.v1+json"
"""Of OCI image specification 1.1 until its release took it out; some registries still have it."""
INDEX_TYPE = "application/vnd.oci.image.index.v1+json"
DOCKER_INDEX_TYPE = "application/vnd.docker.distribution.manifest.list.v2+json"
MANIFEST_TYPES = frozenset({MANIFEST_TYPE, DOCKER_MANIFEST_TYPE, ARTIFACT_TYPE})
INDEX_TYPES = frozenset({INDEX_TYPE, DOCKER_INDEX_TYPE})
EMPTY_TYPE = "application/vnd.oci.empty.v1+json"
EMPTY_DIGEST = "sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a"
"""Of the two bytes `{}`; the specification names it."""


def blob_path(digest: str) -> str:
    """Path of a blob within a bundle, for example `blobs/sha256/44136f…`."""
    algorithm, _, encoded = digest.partition(":")
    return f"{BLOBS}/{algorithm}/{encoded}"


def blob_file(folder: Path, digest: str) -> Path:
    """File of a blob in the bundle `folder`."""
    return folder / blob_path(digest)


def binary_name(program: str, version: str, platform: str) -> str:
    """File name of a program, `helm-v3.19.0-linux-amd64`; `platform` is `os/architecture`."""
    return f"{program}-{version}-{platform.replace('/', '-')}"


def plugin_name(name: str, version: str, platform: str) -> str:
    """File name of a provider plugin; `version` with or without its leading `v`."""
    number = version.removeprefix("v")
    return f"pulumi-resource-{name}-v{number}-{platform.replace('/', '-')}.tar.gz"


def file_path(kind: str, name: str, filename: str) -> str:
    """Path of a file of the lock within a bundle; a chart's is that of its archive's name."""
    folders = {"wheel": WHEELS, "plugin": PLUGINS, "binary": BINARIES, "file": FILES}
    # a free addition keeps its whole path below `files`
    return f"{folders.get(kind, 'charts')}/{name if kind == 'file' else filename}"
