"""What the last run that ended well was given, so that the same again need not ask Pulumi.

A preview renders every chart and compares every object with the state: ten seconds for a sandbox,
minutes for many tenants. Where everything that it reads is as it was, so is its answer. What it
reads is known: the program with its libraries, charts, configuration, secrets and environment, and
the state. The cluster is compared in any case (`live_objects`).
"""

from __future__ import annotations

import datetime
import hashlib
import hmac
import json
import os
import sys
import sysconfig
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import mlops_infra
import stacks
from mlops_infra import contract, files, places
from mlops_infra.components import certificates
from mlops_infra.config import SecretReference, StackConfig
from mlops_infra.engine.applied_fields import encrypted
from mlops_infra.engine.results import Result
from mlops_infra.engine.stack_dir import StackDir, write_private
from mlops_infra.engine.tools import Tools
from mlops_infra.plan.named_files import certificates as site_certificates

_FILE = "applied"
_READ = ("HELM_", "KUBE", "PULUMI_", contract.VARIABLES)
"""What the variables that program, engine and provider read begin with."""
_STACK = "pulumi:pulumi:Stack"


@dataclass(frozen=True, slots=True)
class Given:
    """What a run is given, as digests; an empty one equals none."""

    asked: str = ""
    """Of the configuration and the plan."""
    inputs: str = ""
    """Of everything that a preview reads beside the state."""


@dataclass(frozen=True, slots=True)
class LastRun:
    """The last run of a stack that ended well; it holds no secret."""

    given: Given = Given()
    state: str = ""
    """Digest of the state that it left."""

    @classmethod
    def of(cls, stack_dir: StackDir) -> LastRun:
        """As kept in the stack's folder; empty where there is none, or an older release's."""
        try:
            found = json.loads((stack_dir.folder / _FILE).read_text(encoding="utf-8"))
            return cls(Given(**found["given"]), found["state"])
        except (FileNotFoundError, ValueError, TypeError, KeyError):
            return cls()

    def keep(self, stack_dir: StackDir) -> None:
        """Write it into the stack's folder."""
        write_private(stack_dir.folder / _FILE, json.dumps(asdict(self)))

    def result(self, given: Given, deployment: Mapping[str, Any]) -> Result | None:
        """What a preview would tell; None where only Pulumi knows.

        Args:
            given: what this run is given.
            deployment: the state, as it is now.
        """
        known = bool(given.inputs) and not deployment.get("pending_operations")
        if not known or self != LastRun(given, state_digest(deployment)):
            return None
        roots = [each for each in deployment["resources"] if each.get("type") == _STACK]
        outputs = roots[0].get("outputs") or {} if roots else {}
        return None if encrypted(outputs) else Result.unchanged(outputs)


def state_digest(deployment: Mapping[str, Any]) -> str:
    """Of a state as Pulumi's backend keeps it."""
    return hashlib.sha256(json.dumps(deployment, sort_keys=True).encode()).hexdigest()


def inputs_digest(
    config: StackConfig,
    stack_dir: StackDir,
    folder: Path,
    environment: Mapping[str, str],
    tools: Tools,
) -> str:
    """Of everything but the state that decides what a preview tells.

    It is keyed with the stack's seed: no secret can be guessed from it.

    Args:
        config: of the stack.
        stack_dir: its private files.
        folder: of the stack's file, where the paths in it begin.
        environment: what the run sets beside the variables of this process.
        tools: Pulumi and its plug-ins.

    Returns:
        Empty where something is read that may change unseen: charts of a registry, or a secret
        that cannot be read, which the program itself refuses.
    """
    charts = config.network.charts or str(places.project() / "charts")
    if "://" in charts:
        return ""
    try:
        digest = hmac.new(stack_dir.seed.read_bytes(), digestmod="sha256")
        digest.update(repr(tools).encode())
        for part in _parts(config, stack_dir, folder, {**os.environ, **environment}):
            digest.update(hashlib.sha256(part).digest())
        for tree in _trees(Path(charts)):
            for file in sorted(files.below(tree)):
                if "__pycache__" not in file.parts:
                    digest.update(f"{file.relative_to(tree)} {files.sha256(file)}\n".encode())
    except (OSError, KeyError):
        return ""
    return digest.hexdigest()


def _trees(charts: Path) -> tuple[Path, ...]:
    return (*(Path(each.__path__[0]) for each in (mlops_infra, stacks)), charts)


def _parts(
    config: StackConfig, stack_dir: StackDir, folder: Path, variables: Mapping[str, str]
) -> Iterator[bytes]:
    yield sys.version.encode()
    libraries = Path(sysconfig.get_path("purelib")).glob("*.dist-info")  # named after the version
    yield "\n".join(sorted(each.name for each in libraries)).encode()
    yield str(certificates.period(datetime.datetime.now(datetime.UTC))).encode()
    yield (stack_dir.project / "Pulumi.yaml").read_bytes()  # has defaults of the configuration
    yield json.dumps(stack_dir.asked(), sort_keys=True, default=str).encode()
    if config.network.ca is not None:
        yield site_certificates(config.network.ca, folder).encode()
    yield repr(sorted((k, v) for k, v in variables.items() if k.startswith(_READ))).encode()
    for name, keys in sorted(config.secrets.items()):
        for key, reference in sorted(keys.items()):
            yield f"{name}.{key}".encode()
            yield _value(reference, variables)


def _value(reference: SecretReference, variables: Mapping[str, str]) -> bytes:
    if reference.env is not None:
        return variables[reference.env].encode()
    return Path(str(reference.file)).expanduser().read_bytes()
