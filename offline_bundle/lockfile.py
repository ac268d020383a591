"""The lock as a YAML file: sorted, one line a fact, the same bytes for the same lock."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import yaml

from mlops_infra import files
from mlops_infra.errors import InputError
from offline_bundle.model import (
    Attached,
    Blob,
    Descriptor,
    Found,
    Lock,
    LockedFile,
    LockedHost,
    LockedImage,
)

VERSION = 1
_HEAD = "# Written by `bundle lock` of mlops-infra, read by `bundle build`.\n"


def read_lock(path: Path) -> Lock:
    """Read a lock.

    Raises:
        InputError: there is none, or it is damaged, or of a later release.
    """
    try:
        return parse_lock(path.read_text("utf-8"))
    except FileNotFoundError as error:
        hint = f"create it first: `mlops-infra bundle lock -s STACK -o {path}`"
        raise InputError("the lock does not exist", where=str(path), hint=hint) from error
    except InputError as error:
        raise InputError(error.what, where=str(path), hint=error.hint) from error


def parse_lock(text: str) -> Lock:
    """Read a lock out of its text.

    Raises:
        InputError: it is none.
    """
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    try:
        raw = yaml.load(text, Loader=loader)  # noqa: S506  both are safe
        if raw["version"] != VERSION:
            raise InputError(
                f"the lock has version {raw['version']}, this program supports {VERSION}"
            )
        return Lock(
            stack=raw.get("stack"),
            platform=str(raw["platform"]),
            python=str(raw["python"]),
            images=tuple(_image(each) for each in raw.get("images") or ()),
            files=tuple(_file(each) for each in raw.get("files") or ()),
            hosts=tuple(_host(*each) for each in sorted((raw.get("hosts") or {}).items())),
        )
    except (yaml.YAMLError, KeyError, TypeError, ValueError, AttributeError) as error:
        hint = "create it again: `mlops-infra bundle lock -s STACK -o LOCK`"
        raise InputError(f"not a lock: {error}", hint=hint) from error


def write_lock(lock: Lock, path: Path) -> None:
    """Write `lock` in one step; a reader sees the old file or the new one."""
    path.parent.mkdir(parents=True, exist_ok=True)
    files.write(path, render_lock(lock))


def render_lock(lock: Lock) -> str:
    """The text of a lock."""
    images = sorted(lock.images, key=lambda each: each.reference)
    files = sorted(lock.files, key=lambda each: (each.kind, each.name, each.version, each.filename))
    document = {
        "version": VERSION,
        "stack": lock.stack,
        "platform": lock.platform,
        "python": lock.python,
        **({"hosts": {each.name: _host_out(each) for each in lock.hosts}} if lock.hosts else {}),
        "images": [_image_out(each) for each in images],
        "files": [_file_out(each) for each in files],
    }
    dumper = getattr(yaml, "CSafeDumper", yaml.SafeDumper)
    text: str = yaml.dump(
        document, Dumper=dumper, sort_keys=False, allow_unicode=True, width=1 << 16
    )
    return _HEAD + text


def moved(old: Lock, new: Lock) -> list[str]:
    """Tags that mean something else in `new` than they did in `old`, one sentence each."""
    before = {image.reference: image.digest for image in old.images if image.source == "registry"}
    return [
        f"{image.reference} has moved from {before[image.reference]} to {image.digest}"
        for image in new.images
        if before.get(image.reference, image.digest) != image.digest
    ]


def ordered(lock: Lock) -> Lock:
    """The same lock in the order of its file; `read_lock` gives exactly this one back."""
    return parse_lock(render_lock(lock))


def _image(raw: Mapping[str, Any]) -> LockedImage:
    return LockedImage(
        reference=raw["reference"],
        digest=raw["digest"],
        media_type=raw["mediaType"],
        size=int(raw["size"]),
        platforms=tuple(raw.get("platforms") or ()),
        blobs=tuple(Blob(digest, int(size)) for digest, size in raw["blobs"].items()),
        licence=raw.get("licence"),
        source=raw.get("source", "registry"),
        recipe=raw.get("recipe"),
        attached=tuple(
            Attached(Descriptor.of(each), each["subject"], each.get("tag"))
            for each in raw.get("attached") or ()
        ),
        found=_found(raw.get("found")),
    )


def _file(raw: Mapping[str, Any]) -> LockedFile:
    return LockedFile(
        kind=raw["kind"],
        name=raw["name"],
        version=str(raw.get("version", "")),
        sha256=raw["sha256"],
        size=int(raw["size"]),
        filename=raw["filename"],
        source=raw["source"],
        licence=raw.get("licence"),
        found=_found(raw.get("found")),
    )


def _host(name: str, raw: Mapping[str, Any]) -> LockedHost:
    concurrency = raw.get("concurrency")
    return LockedHost(
        name=str(name),
        mirror=raw.get("mirror"),
        plain_http=raw.get("plainHttp") is True,
        concurrency=None if concurrency is None else int(concurrency),
    )


def _host_out(host: LockedHost) -> dict[str, Any]:
    stated = {
        "mirror": host.mirror,
        "plainHttp": host.plain_http or None,
        "concurrency": host.concurrency,
    }
    return {key: value for key, value in stated.items() if value is not None}


def _found(raw: Iterable[str] | None) -> tuple[Found, ...]:
    return tuple(Found(str(each)) for each in raw or ())


def _image_out(image: LockedImage) -> dict[str, Any]:
    attached = [
        {
            **each.descriptor.as_dict(),
            "subject": each.subject,
            **({"tag": each.tag} if each.tag else {}),
        }
        for each in sorted(
            image.attached, key=lambda a: (a.subject, a.tag or "", a.descriptor.digest)
        )
    ]
    return _without_empty(
        {
            "reference": image.reference,
            "digest": image.digest,
            "mediaType": image.media_type,
            "size": image.size,
            "platforms": list(image.platforms),
            "licence": image.licence,
            "source": image.source,
            "recipe": image.recipe,
            "found": sorted({each.where for each in image.found}),
            "attached": attached,
            "blobs": {blob.digest: blob.size for blob in sorted(image.blobs)},
        }
    )


def _file_out(file: LockedFile) -> dict[str, Any]:
    return _without_empty(
        {
            "kind": file.kind,
            "name": file.name,
            "version": file.version,
            "filename": file.filename,
            "sha256": file.sha256,
            "size": file.size,
            "source": file.source,
            "licence": file.licence,
            "found": sorted({each.where for each in file.found}),
        }
    )


def _without_empty(values: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in values.items() if value not in (None, [], "")}
