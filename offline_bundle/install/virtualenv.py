"""A virtual environment with this program, from the bundle's wheels and nothing else."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from mlops_infra.errors import MissingError, OperationFailed
from mlops_infra.images import uv
from offline_bundle import layout

PROFILES = {"onprem": "pulumi_kubernetes-", "aws": "pulumi_aws-"}
"""Extra of the program to the wheel that tells that the bundle has it."""


def requirement(bundle: Path) -> str | None:
    """`mlops-infra[...]` with the extras that the wheels allow; None without the program."""
    names = [file.name for file in (bundle / layout.WHEELS).glob("*.whl")]
    if not any(name.startswith("mlops_infra-") for name in names):
        return None
    extras = [
        extra
        for extra, prefix in PROFILES.items()
        if any(name.startswith(prefix) for name in names)
    ]
    return f"mlops-infra[{','.join(extras)}]" if extras else "mlops-infra"


def require_python(python: Path, wanted: str) -> None:
    """Refuse an interpreter that the wheels were not chosen for.

    Raises:
        MissingError: it has another version, or cannot be run.
    """
    told = "import sys; print('%d.%d' % sys.version_info[:2])"
    try:
        done = subprocess.run([python, "-Ic", told], capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError) as error:
        raise MissingError("the Python interpreter does not run", where=str(python)) from error
    if done.stdout.strip() != wanted:
        raise MissingError(
            f"the bundle's wheels are for Python {wanted}, this one is {done.stdout.strip()}",
            where=str(python),
            hint=f"add --python PATH with the path of a Python {wanted}",
        )


def make(bundle: Path, folder: Path, python: Path, requirements: str) -> None:
    """Make the environment in `folder`; no index is asked, no configuration of the user is read.

    Raises:
        MissingError: uv is not beside this program.
        OperationFailed: the bundle's wheels do not satisfy each other.
    """
    tool = uv.find()
    common = [str(tool), "--offline", "--no-config", "--no-cache", "--quiet"]
    _run([*common, "venv", "--no-project", "--clear", "--python", str(python), str(folder)])
    _run(
        [
            *common, "pip", "install", "--no-index", "--find-links", str(bundle / layout.WHEELS),
            "--python", str(folder / "bin" / "python"), "--link-mode", "copy", requirements,
        ]
    )  # fmt: skip


def default_python() -> Path:
    """The interpreter that this program runs with, outside of any virtual environment."""
    return Path(getattr(sys, "_base_executable", None) or sys.executable)


def _run(command: list[str]) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise OperationFailed(
            f"the virtual environment could not be created: {done.stderr.strip()[-800:]}",
            where=" ".join(command[:1]),
            hint="`mlops-infra bundle inspect DIR` shows the wheels",
        )
