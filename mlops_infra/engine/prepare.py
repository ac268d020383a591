"""From a stack's name to an engine that is ready to run it."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

from mlops_infra import __version__, contract
from mlops_infra import config as configuration
from mlops_infra.cluster.node.preflight import all_simulated
from mlops_infra.config import StackConfig
from mlops_infra.engine import closed, environment, locks, tools, upstream_images
from mlops_infra.engine import stack_record as records
from mlops_infra.engine.planning import plan_of
from mlops_infra.engine.runner import Engine
from mlops_infra.engine.stack_dir import StackDir
from mlops_infra.engine.stack_record import StackRecord
from mlops_infra.engine.tools import Tools
from mlops_infra.errors import InputError, MlopsError
from mlops_infra.plan import Plan
from mlops_infra.plan.named_files import check_files
from mlops_infra.progress import Sink


@dataclass(frozen=True, slots=True)
class Asked:
    """What the user asks for, checked: nothing has been touched yet."""

    stack: str
    file: Path
    config: StackConfig
    plan: Plan
    record: StackRecord

    @property
    def digest(self) -> str:
        """Of all that is asked for, also of what is no input of any resource.

        Protection and order live in the state too, and no preview shows when they change.
        """
        asked = (__version__, configuration.effective(self.config), self.plan)
        return hashlib.sha256(repr(asked).encode()).hexdigest()


def asked(stack: str, file: Path | None, *, ask: bool = False) -> Asked:
    """Read and check configuration and plan.

    Args:
        stack: its name.
        file: its file, where it is not the default one.
        ask: registries are asked about upstream's images that nothing is known of.

    Raises:
        ConfigError: with every mistake of the file.
        PlanError: a gate refuses the plan, or this release cannot deploy the profile yet.
    """
    path = file or configuration.stack_file(stack)
    config = configuration.load(path)
    plan = plan_of(config, stack)
    if ask and config.cluster.embedded and not all_simulated(config.cluster.simulated):
        mirrors = upstream_images.mirrors_of(config, path)
        plan = plan_of(config, stack) if upstream_images.ask(plan, mirrors) else plan
    plan.require_deployable()
    check_files(config, path)
    closed.refuse_absent(config, plan, path)
    return Asked(stack, path, config, plan, StackRecord.of(config, stack))


def prepare(
    want: Asked,
    sink: Sink,
    found: Tools,
    *,
    node: str | None,
    more: Mapping[str, str] = MappingProxyType({}),
) -> Engine:
    """An engine for `want`, with its folder, passphrase and seed made where they were not.

    Args:
        want: what is asked for.
        sink: takes the progress.
        found: Pulumi and its plug-ins.
        node: address of the embedded cluster.
        more: further variables for the program.

    Raises:
        InputError: the stack has state, but passphrase or seed are gone.
    """
    stack_dir = StackDir.of(want.stack)
    backend = want.record.backend
    variables = _variables(stack_dir, want.record, found, stack_file=want.file)
    if node:
        variables[contract.NODE_ADDRESS_VARIABLE] = node
    variables |= more
    engine = _engine(want.stack, stack_dir, want.record, found, variables, sink, _program())
    stack_dir.refresh(want.file)
    stack_dir.secure(state_exists=_has_resources(engine, backend, want.stack))
    want.record.write(stack_dir)
    return engine


def from_state(
    stack: str, file: Path | None, sink: Sink, *, only_read: bool = False
) -> Engine | None:
    """An engine that can only take things away; None where there is nothing of this stack.

    Works with a stack's file that cannot be read: the record of the last run says enough.

    Args:
        stack: name of the stack.
        file: the stack's file, where it is not the default one.
        sink: takes the progress.
        only_read: the state is only read, which takes no provider.
    """
    stack_dir = StackDir.of(stack)
    record = _record(stack, file)
    if record is None:
        return None
    found = tools.reading(sink) if only_read or record.site else tools.ready(sink)
    variables = _variables(stack_dir, record, found, stack_file=None)
    stack_dir.refresh(None)
    return _engine(stack, stack_dir, record, found, variables, sink, None)


def reading(stack: str, file: Path | None, sink: Sink) -> Engine | None:
    """An engine that reads the state of `stack`; None where it was never brought up.

    A state in a folder is looked for before any tool is fetched or compiled.
    """
    record = _record(stack, file)
    if record is None:
        return None
    kept = locks.state_file(record.backend, stack)
    if kept and not any(each.exists() for each in (kept, kept.with_name(f"{kept.name}.gz"))):
        return None
    engine = from_state(stack, file, sink, only_read=True)
    return engine if engine and engine.exists() else None


def _record(stack: str, file: Path | None) -> StackRecord | None:
    """Of the last run; else as the stack's file has it; None where there is neither."""
    known = records.read(StackDir.of(stack))
    if known is not None:
        return known
    try:
        config = configuration.load(file or configuration.stack_file(stack))
    except InputError:
        return None
    return StackRecord.of(config, stack)


def _program() -> Callable[[], None]:
    from stacks.program import program

    return program


def _engine(
    stack: str,
    stack_dir: StackDir,
    record: StackRecord,
    found: Tools,
    variables: dict[str, str],
    sink: Sink,
    program: Callable[[], None] | None,
) -> Engine:
    return Engine(
        stack,
        sink,
        stack_dir=stack_dir,
        record=record,
        tools=found,
        environment=variables,
        program=program,
    )


def _variables(
    stack_dir: StackDir, record: StackRecord, found: Tools, *, stack_file: Path | None
) -> dict[str, str]:
    return environment.variables(
        stack_dir,
        backend=record.backend,
        path_entries=found.folders,
        kubeconfig=Path(record.kubeconfig) if record.kubeconfig else None,
        stack_file=stack_file,
    )


def _has_resources(engine: Engine, backend: str, stack: str) -> bool:
    """Whether losing the secrets would matter: an empty state of a first run does not count."""
    if secrets_exist(engine.stack_dir):
        return True  # nothing will be made; the question costs nothing
    file = locks.state_file(backend, stack)
    if file is not None:
        return file.exists() and '"resources"' in file.read_text(encoding="utf-8")
    try:
        return engine.exists()
    except MlopsError:
        return False  # a backend that does not answer stops the run itself, with its own reason


def secrets_exist(stack_dir: StackDir) -> bool:
    """Whether passphrase and seed are both there."""
    return stack_dir.seed.exists() and stack_dir.passphrase.exists()
