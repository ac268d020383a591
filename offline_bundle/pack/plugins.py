"""Archives of Pulumi plugins, as `pulumi plugin install --file` takes them.

Where a machine has the plugin installed, its folder is packed again in the layout of the official
archive: the executable and its PulumiPlugin.yaml at the top.
"""

from __future__ import annotations

from pathlib import Path

from mlops_infra.errors import InputError
from offline_bundle.pack.tarball import tar_gz


def plugin_archive(folder: Path) -> bytes:
    """The plugin installed in `folder` (`$PULUMI_HOME/plugins/resource-<name>-v<version>`).

    Raises:
        InputError: it is not installed, or its download did not end.
    """
    partial = folder.with_name(folder.name + ".partial")
    files = sorted(file for file in folder.rglob("*") if file.is_file())
    if partial.exists() or not any(file.name.startswith("pulumi-") for file in files):
        raise InputError(
            f"the plugin {folder.name} is not completely installed",
            where=str(folder),
            hint="where its source can be reached: pulumi plugin install "
            + folder.name.replace("-v", " v", 1).replace("-", " ", 1),
        )
    return tar_gz(
        (
            file.relative_to(folder).as_posix(),
            0o755 if file.stat().st_mode & 0o100 else 0o644,
            file.read_bytes(),
        )
        for file in files
    )
