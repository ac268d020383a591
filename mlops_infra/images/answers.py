"""What is known of images that no recipe makes: whether an embedded node can have them, and why.

A bundle and earlier pulls are looked up each time. What registries have answered is remembered
here, so that a plan needs no network and stays the same until somebody asks again. That is kept in
the cache: without it `up` asks once more.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import NamedTuple

from mlops_infra import files
from mlops_infra.errors import OperationFailed
from mlops_infra.images import blobs, bundled, pulled


class Answer(NamedTuple):
    """Whether the image can be had, and where, or why not."""

    there: bool
    why: str


IN_BUNDLE = Answer(True, "in the bundle")


@dataclass(frozen=True, slots=True)
class Remembered:
    """What a registry has answered about one image."""

    there: bool
    why: str
    source: str
    """The reference that was asked for; another one than the image's where there is a mirror."""
    final: bool
    """False where the registry could not be reached or did not let us in: it is asked again."""


def answers() -> dict[str, Answer]:
    """All that is known, by reference."""
    found = {ref: Answer(each.there, each.why) for ref, each in remembered().items()}
    bundle = bundled.folder()
    more = {reference: Answer(True, "pulled") for reference in pulled.references()}
    more |= dict.fromkeys(bundled.references(bundle) if bundle else (), IN_BUNDLE)
    # a registry's own answer stays what it was: whoever pulls the image changes no plan
    return found | {
        ref: each for ref, each in more.items() if ref not in found or not found[ref].there
    }


def remembered() -> dict[str, Remembered]:
    """What registries have answered, by reference.

    Raises:
        OperationFailed: the file of answers is damaged.
    """
    file = _file()
    try:
        raw = json.loads(file.read_bytes())
        return {reference: Remembered(**each) for reference, each in raw.items()}
    except FileNotFoundError:
        return {}
    except (ValueError, TypeError, AttributeError) as error:
        raise OperationFailed(
            "the remembered answers of registries cannot be read",
            where=str(file),
            hint=f"remove the file; registries are asked again: rm {file}",
        ) from error


def remember(found: Mapping[str, Remembered]) -> None:
    """Keep answers beside those that are known; a newer one takes the place of an older one."""
    blobs.folder().mkdir(parents=True, exist_ok=True)
    with blobs.exclusive("registry-answers"):
        merged = {**remembered(), **found}
        raw = {reference: asdict(merged[reference]) for reference in sorted(merged)}
        files.write(_file(), json.dumps(raw, indent=1))


def _file() -> Path:
    return blobs.folder() / "registry-answers.json"
