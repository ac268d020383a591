"""The environment of every Pulumi process of ours, and what `mlops-infra env` prints."""

from __future__ import annotations

import os
import shlex
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

from mlops_infra import contract, places
from mlops_infra.engine.room import PASSPHRASE_VARIABLE, Room
from mlops_infra.errors import OperationFailed

SILENT: Mapping[str, str] = {
    "PULUMI_SKIP_UPDATE_CHECK": "true",
    "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION": "true",
    "PULUMI_DISABLE_REGISTRY_RESOLVE": "true",
    "PULUMI_SUPPRESS_NEO_LINK": "true",
    "PULUMI_SUPPRESS_COPILOT_LINK": "true",
    "PULUMI_NEO": "false",
    "PULUMI_LOG_ROTATION_MAX_AGE_DAYS": "1",
    "PULUMI_LOG_ROTATION_MAX_TOTAL_MB": "20",
    # an Output in an f-string is an error, not a sentence in a password (pulumi#4650)
    "PULUMI_ERROR_OUTPUT_STRING": "true",
}
"""Nothing phones home: the CLI's own switches, beside an unreachable address for its service."""

UNSET = ("TRACEPARENT", "PULUMI_STACK", "PULUMI_CONFIG")
"""Variables of the caller's shell that would change what a run does."""

_NOWHERE = "http://127.0.0.1:9"
"""The discard port: what still tries the service fails at once."""


def backend_url(configured: str | None) -> str:
    """The backend in the configuration, else `$PULUMI_BACKEND_URL`, else a local folder."""
    return configured or os.environ.get("PULUMI_BACKEND_URL") or f"file://{local_state()}"


def _without_attributes(backend: str) -> str:
    """The URL as Pulumi gets it: a file backend writes no file of sums beside each of its files.

    It writes that file piece by piece (gocloud.dev, blob/fileblob, `setAttrs`), reads it before the
    state, and nothing needs it: a kill in that moment would leave a state that cannot be read.
    """
    parts = urlsplit(backend)
    if parts.scheme != "file" or "metadata" in parse_qs(parts.query):
        return backend
    return f"{backend}{'&' if parts.query else '?'}metadata=skip"


def local_state() -> Path:
    """Folder of the default backend."""
    return places.data() / "state"


def variables(
    room: Room,
    *,
    backend: str,
    path_entries: tuple[Path, ...],
    kubeconfig: Path | None,
    stack_file: Path | None,
) -> dict[str, str]:
    """Everything that a run of this stack needs in its environment.

    Args:
        room: the stack's own files.
        backend: URL of the Pulumi backend.
        path_entries: folders that come first on `PATH`, first one first.
        kubeconfig: of the embedded cluster; None leaves the caller's.
        stack_file: the file that the configuration was copied from.
    """
    found = {
        **SILENT,
        "PULUMI_BACKEND_URL": _without_attributes(backend),
        "PULUMI_HOME": str(places.pulumi_home()),
        contract.SEED_FILE_VARIABLE: str(room.seed),
        contract.CACHE_VARIABLE: str(places.cache()),
        contract.DATA_VARIABLE: str(places.data()),
    }
    if "PULUMI_CONFIG_PASSPHRASE" not in os.environ:
        found[PASSPHRASE_VARIABLE] = str(room.passphrase)
    if not backend.startswith("https://"):
        found["PULUMI_API"] = _NOWHERE
    if kubeconfig is not None:
        found["KUBECONFIG"] = str(kubeconfig)
    if stack_file is not None:
        found[contract.STACK_FILE_VARIABLE] = str(stack_file.absolute())
    found["PATH"] = _path(path_entries)
    return found


def _path(entries: tuple[Path, ...]) -> str:
    old = [part for part in os.environ.get("PATH", os.defpath).split(os.pathsep) if part]
    new = [str(Path(sys.executable).parent), *(str(entry) for entry in entries)]
    return os.pathsep.join(dict.fromkeys(new + old))


@contextmanager
def applied(changes: Mapping[str, str]) -> Iterator[None]:
    """Run a block with `changes` in `os.environ`, where the inline program reads them."""
    before = dict(os.environ)
    os.environ.update(changes)
    for name in UNSET:
        os.environ.pop(name, None)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)


def exports(changes: Mapping[str, str], room: Room) -> str:
    """Shell lines with which plain `pulumi` runs the same stack from the project's folder."""
    both = {**changes, "PULUMI_OPTION_CONFIG_FILE": str(room.settings)}
    lines = [f"unset {' '.join(UNSET)}"]
    lines += [f"export {name}={shlex.quote(value)}" for name, value in sorted(both.items())]
    return "\n".join(lines)


def writable(folder: Path) -> None:
    """Make the folder of a local state.

    Raises:
        OperationFailed: it cannot be made.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    except OSError as error:
        raise OperationFailed(
            f"the state folder cannot be created: {error.strerror}",
            where=str(folder),
            hint=f"choose another data folder with {contract.DATA_VARIABLE}",
        ) from error
