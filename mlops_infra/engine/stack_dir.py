"""The private folder of one stack: its passphrase, its seed and its Pulumi project.

`data()/stacks/<stack>/`, mode 0700:

* `passphrase`, `seed`: made on first use, mode 0600, one line each;
* `project/`: what the Automation API takes for the project. Pulumi writes the passphrase's salt
  beside the stack's configuration, and a checkout must stay clean, so both live in a copy that is
  refreshed before every run (docs/decisions/0007-engine.md).
"""

from __future__ import annotations

import os
import secrets
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from mlops_infra import contract, files, naming, places
from mlops_infra.errors import InputError, OperationFailed

PROJECT = "mlops-infra"
"""Name in `Pulumi.yaml`; together with the stack's name the key of the state."""

_SECRET_SETTINGS = ("encryptionsalt", "secretsprovider", "encryptedkey")
"""Keys that Pulumi itself writes into a stack's file."""

PASSPHRASE_VARIABLE = "PULUMI_CONFIG_PASSPHRASE_FILE"  # noqa: S105 - the name of a variable


@dataclass(slots=True)
class StackDir:
    """Where the files of one stack lie."""

    stack: str
    folder: Path

    @classmethod
    def of(cls, stack: str) -> StackDir:
        """The folder of `stack`; raises InputError where that is not a DNS label."""
        return cls(naming.dns_label(stack, what="stack"), places.data() / "stacks" / stack)

    @property
    def project(self) -> Path:
        """Folder that the Automation API works in."""
        return self.folder / "project"

    @property
    def settings(self) -> Path:
        """The stack's configuration with Pulumi's own keys; both routes use this file."""
        return self.project / f"Pulumi.{self.stack}.yaml"

    def asked(self) -> dict[str, Any]:
        """What `settings` holds beside the keys that Pulumi itself writes there."""
        return {k: v for k, v in _read(self.settings).items() if k not in _SECRET_SETTINGS}

    @property
    def seed(self) -> Path:
        """Seed of the generated passwords; `$MLOPS_INFRA_SEED_FILE` where a team shares one."""
        return Path(os.environ.get(contract.SEED_FILE_VARIABLE) or self.folder / "seed")

    @property
    def passphrase(self) -> Path:
        """Passphrase of the state; `$PULUMI_CONFIG_PASSPHRASE_FILE` where a team shares one."""
        return Path(os.environ.get(PASSPHRASE_VARIABLE) or self.folder / "passphrase")

    def opens(self, secrets_provider: str | None) -> bool:
        """Whether there is something to open the secrets of the state with."""
        other = secrets_provider not in {None, "passphrase"}
        return other or "PULUMI_CONFIG_PASSPHRASE" in os.environ or self.passphrase.exists()

    def secure(self, *, state_exists: bool) -> None:
        """Make passphrase and seed on first use.

        Raises:
            InputError: the stack has state but one of the two is gone; a new one would not fit.
        """
        needed = [("seed", self.seed, "the passwords in the databases")]
        if "PULUMI_CONFIG_PASSPHRASE" not in os.environ:
            needed.append(("passphrase", self.passphrase, "the secrets in the state"))
        for name, file, what in needed:
            if file.exists():
                continue
            if state_exists:
                raise InputError(
                    f"the {name} of stack {self.stack} is gone, and a new one would not fit {what}",
                    where=str(file),
                    hint=f"restore the file from a backup, or remove the stack without it: "
                    f"mlops-infra down -s {self.stack} --purge",
                )
            places.private(file.parent)
            write_private(file, secrets.token_urlsafe(32) + "\n")

    def refresh(self, stack_file: Path | None) -> None:
        """Bring the private project up to date with the checkout and the stack's file.

        `stack_file` None keeps the configuration of the last run: teardown needs no readable one.
        """
        places.private(self.project)
        project = _read(places.project() / "Pulumi.yaml")
        project = {"name": PROJECT, "runtime": "python", "config": project.get("config", {})}
        _write_if_changed(self.project / "Pulumi.yaml", yaml.safe_dump(project, sort_keys=False))
        kept = {k: v for k, v in _read(self.settings).items() if k in _SECRET_SETTINGS}
        if stack_file is not None:
            merged = _read(stack_file)
            if not any(key in merged for key in _SECRET_SETTINGS):
                merged |= kept
            _write_if_changed(self.settings, yaml.safe_dump(merged, sort_keys=False))

    def remove(self) -> None:
        """Take the whole folder away."""
        shutil.rmtree(self.folder, ignore_errors=False)
        parent = self.folder.parent
        if not any(parent.iterdir()):
            parent.rmdir()


def _read(file: Path) -> dict[str, Any]:
    if not file.exists():
        return {}
    try:
        found = yaml.safe_load(file.read_text(encoding="utf-8"))
    except yaml.YAMLError as error:
        raise InputError(f"{file.name} is not YAML: {error}", where=str(file)) from error
    return found if isinstance(found, dict) else {}


def _write_if_changed(file: Path, text: str) -> None:
    if not file.exists() or file.read_text(encoding="utf-8") != text:
        write_private(file, text)


def write_private(file: Path, text: str) -> None:
    """Replace a file, for its owner alone, in one step.

    Raises:
        OperationFailed: the disk is full, or the folder cannot be written.
    """
    try:
        files.write(file, text, mode=0o600)
    except OSError as error:
        raise OperationFailed(
            f"cannot write {file.name}: {error.strerror}",
            where=str(file),
            hint=f"free space there, or choose another folder with {contract.DATA_VARIABLE}",
        ) from error
