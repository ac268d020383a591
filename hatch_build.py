"""What hatchling has to be told beside pyproject.toml: each chart carries the library chart.

`charts/*/charts/base` are links to one folder. hatchling follows links, but walks a folder once in
a build, so all charts but one would come without their library.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class LinkedFolders(BuildHookInterface):  # type: ignore[type-arg]  # of any builder's configuration
    """Includes what the links in charts lead to, under the name of the link."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:  # noqa: ARG002
        """Add the folders to a wheel or a source archive; called by hatchling before it builds."""
        root = Path(self.root)
        below = "" if self.target_name == "sdist" else "mlops_infra/_project/"
        for link in sorted(root.glob("charts/*/charts/*")):
            if link.is_symlink():
                build_data["force_include"][str(link)] = f"{below}{link.relative_to(root)}"
