"""Which modules a step can import: those of the runtime image, not those of this laptop."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import re
import sys
from dataclasses import dataclass
from functools import lru_cache

IMAGE = "runtime"
_OWN = ("mlops_infra",)
_OTHER_NAMES = {
    "bs4": "beautifulsoup4",
    "cv2": "opencv-python",
    "dateutil": "python-dateutil",
    "git": "gitpython",
    "google": "protobuf",
    "PIL": "pillow",
    "psycopg2": "psycopg2-binary",
    "skimage": "scikit-image",
    "sklearn": "scikit-learn",
    "yaml": "pyyaml",
    "mlflow": "mlflow-skinny",
}
"""Modules whose package has another name, for those that are not installed here."""


@dataclass(frozen=True, slots=True)
class Packages:
    """The packages of an image, by their normalised names."""

    names: frozenset[str]
    hint: str = "add the package to recipes/runtime.yaml and lock it, or avoid it"

    @classmethod
    def of_runtime_image(cls) -> Packages:
        """Those that the runtime image is locked to; inside of it, those that are installed."""
        if importlib.util.find_spec("mlops_infra.images") is None:
            return cls(frozenset(_normal(name) for name in _installed()))
        from mlops_infra.images import locks

        return cls(frozenset(_normal(wheel.name) for wheel in locks.wheels(IMAGE)))

    def has(self, module: str) -> bool:
        """Whether a process in the image can import `module`."""
        top = module.partition(".")[0]
        if top in sys.stdlib_module_names or top in _OWN:
            return True
        candidates = {top, _OTHER_NAMES.get(top, top), *_providing().get(top, ())}
        return any(_normal(name) in self.names for name in candidates)


def _installed() -> set[str]:
    return {found.name for found in importlib.metadata.distributions()}


@lru_cache(maxsize=1)
def _providing() -> dict[str, list[str]]:
    return dict(importlib.metadata.packages_distributions())


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()
