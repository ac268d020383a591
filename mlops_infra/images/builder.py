"""Builds images: each layer once, then the layout around them."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path

from mlops_infra.files import remove_tree, temporary_folder
from mlops_infra.images import blobs, bundled, keys, layers, oci, sbom
from mlops_infra.images import recipe as recipes
from mlops_infra.images.blobs import StoredLayer
from mlops_infra.images.keys import LayerKey
from mlops_infra.progress import Sink, step


@dataclass(frozen=True, slots=True)
class BuiltImage:
    """An image that lies in the cache as an OCI layout."""

    name: str
    reference: str
    digest: str
    """Of the image manifest, `sha256:…`."""
    layout: Path
    size: int
    """Bytes of all layers."""
    sbom: str
    """Digest of the CycloneDX document in the layout."""
    cached: bool
    """Whether nothing had to be built."""


def build(name: str, sink: Sink) -> BuiltImage:
    """Build image `name`, or find it in the cache under its content key.

    Raises:
        InputError: no such recipe, or it is not locked.
        OperationFailed: a package cannot be had or is not what was locked.
    """
    layout = layout_of(name)
    known = _known(name, layout)
    if known is not None:
        return known
    with blobs.exclusive(layout.name):
        known = _known(name, layout)  # another process may have built it while we waited
        if known is not None:
            return known
        with step(sink, f"Building the image {name}") as work:
            stored = _layers(name, sink)
            built = _assemble(name, layout, stored)
            work.end("done", f"{built.digest}, {built.size} bytes")
    return built


def build_many(names: Iterable[str], sink: Sink) -> list[BuiltImage]:
    """Build several images, in the order given; what they share is built once."""
    return [build(name, sink) for name in names]


def find(name: str) -> BuiltImage | None:
    """Image `name` if it is built as its recipe stands now; None where it is not.

    Raises:
        InputError: no such recipe, or it is not locked.
    """
    return _known(name, layout_of(name))


def layout_of(name: str) -> Path:
    """Where image `name` lies once it is built as its recipe stands now."""
    return blobs.folder() / "layouts" / f"{name}-{keys.key(name)[:16]}"


def _known(name: str, layout: Path) -> BuiltImage | None:
    built = layout / "built.json"
    try:
        raw = json.loads(built.read_bytes())
    except FileNotFoundError:
        return _carried(name)
    os.utime(built)  # pruning asks when the image was used last
    return BuiltImage(name=name, layout=layout, cached=True, **raw)


def _carried(name: str) -> BuiltImage | None:
    """The image as an offline bundle brought it; it was built under the same key elsewhere."""
    reference = keys.reference(name)
    found = bundled.find(reference)
    if found is None:
        return None
    return BuiltImage(
        name=name,
        reference=reference,
        digest=found.digest,
        layout=found.layout,
        size=found.size,
        sbom=found.sbom,
        cached=True,
    )


def _layers(name: str, sink: Sink) -> list[tuple[LayerKey, StoredLayer]]:
    done: list[tuple[LayerKey, StoredLayer]] = []
    for item in keys.layer_keys(name):
        stored = blobs.find(item.key)
        if stored is None:
            with blobs.exclusive(item.key[:16]):
                interpreter = [layer.file for below, layer in done if below.part == "debian"]
                stored = blobs.find(item.key) or _layer(item, interpreter, sink)
        done.append((item, stored))
    return done


def _layer(item: LayerKey, interpreter: list[Path], sink: Sink) -> StoredLayer:
    recipe = recipes.load(item.recipe)
    parent = blobs.folder() / "scratch"
    parent.mkdir(parents=True, exist_ok=True)
    with _scratch(parent) as scratch:
        work = layers.Work(
            recipe=recipe,
            lineage=recipes.lineage(item.recipe),
            scratch=scratch,
            interpreter=tuple(interpreter),
            sink=sink,
        )
        tree, components = layers.BUILDERS[item.part](work)
        title = f"Writing the layer {item.recipe}/{item.part}"
        with step(sink, title, unit="bytes") as shown:
            return blobs.store(item.key, tree, components, shown.advance)


def _scratch(parent: Path) -> AbstractContextManager[Path]:
    for left in parent.glob("build-*"):
        owner = left.name.split("-")[1]
        if not Path("/proc", owner).exists():  # its build was killed
            remove_tree(left, missing_ok=True)
    # on the cache's own file system: the system's /tmp may be small, or memory
    return temporary_folder(parent, f"build-{os.getpid()}-")


def _assemble(name: str, layout: Path, stored: list[tuple[LayerKey, StoredLayer]]) -> BuiltImage:
    recipe = recipes.load(name)
    version = keys.version(recipe)
    reference = keys.reference(name)
    parts = [
        oci.Layer(layer.descriptor, layer.file, f"mlops-infra {item.recipe}/{item.part}")
        for item, layer in stored
    ]
    named = oci.labels(recipe, version, recipe.base)
    layout.parent.mkdir(parents=True, exist_ok=True)
    temporary = layout.with_name(f".{layout.name}.{os.getpid()}")
    shutil.rmtree(temporary, ignore_errors=True)
    try:
        draft = oci.Layout(temporary)
        image = draft.image(oci.config(recipe.run, parts, named), parts, named)
        components = [component for _, layer in stored for component in layer.components]
        document = sbom.document(name, version, image.digest, components)
        bill = draft.attach(image, document, f"{name}.cdx.json")
        draft.finish(image, bill, reference)
        facts = {
            "reference": reference,
            "digest": image.digest,
            "size": sum(part.descriptor.size for part in parts),
            "sbom": bill.digest,
        }
        (temporary / "built.json").write_text(json.dumps(facts))
        shutil.rmtree(layout, ignore_errors=True)
        temporary.rename(layout)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
    return BuiltImage(name=name, layout=layout, cached=False, **facts)  # type: ignore[arg-type]
