"""One cause and one next step for a run that failed.

The engine repeats a failure on every resource above it and ends with "update failed"; here the
first resource that really failed is found in the events, and the cluster is asked about its Pods.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from pulumi.automation.errors import CommandError, ConcurrentUpdateError

from mlops_infra.engine.events import Change, Diagnostic, RunLog
from mlops_infra.engine.waiting import Verdict
from mlops_infra.engine.waiting import failure as unready
from mlops_infra.errors import MissingError, MlopsError, OperationFailed, StackLocked
from mlops_infra.kube import Cause, Cluster, causes

_MAX_LINES = 12

_ECHO = ("python inline source runtime error", "update failed", "preview failed")


@dataclass(frozen=True, slots=True)
class Advice:
    """What to do about a failure that is known by its reason or its words."""

    pattern: str
    next: str


_IMAGE = Advice(
    "ImagePull|ErrImage|InvalidImageName",
    "check the image's name, tag and registry in the stack's file (embedded cluster: "
    "mlops-infra images list), then up again",
)
_BY_REASON = (
    _IMAGE,
    Advice("CrashLoop|Error|OOMKilled|StartError|RunContainerError",
           "fix the cause, then run up again; full log: kubectl -n {namespace} logs {pod}"),
    Advice("Unschedulable", "provide what the Pod waits for, then run up again; "
           "kubectl -n {namespace} describe pod {pod}"),
    Advice("", "kubectl -n {namespace} describe pod {pod}"),
)  # fmt: skip

_BY_WORDS = (
    _IMAGE,  # before the rest: it is the registry that cannot be reached, not the cluster
    Advice(r"storageclass.*(not found|does not exist)|no persistent volumes available",
           "set cluster.storageClass to one of: kubectl get storageclass"),
    Advice(r"connection refused|unreachable|no route to host|i/o timeout|timed out|no such host"
           r"|cannot be reached|does not answer",
           "check that the cluster runs (embedded: mlops-infra cluster status {stack}) and that "
           "the kubeconfig is right"),
    Advice(r"unauthorized|is forbidden: user|x509|certificate",
           "the cluster refuses these credentials: check cluster.kubeconfig and cluster.context"),
    Advice(r"no space left|disk is full", "free some disk space, then run up again"),
    Advice(r"incorrect passphrase|passphrase must be set",
           "the passphrase does not match the state: restore the file"),
    Advice(r"namespaces? .*not found",
           "the state has objects that this cluster lacks: mlops-infra down -s {stack}, then up"),
    Advice(r"already exists", "created by something else: remove or rename it, then run up again"),
    Advice(r"is protected|protected resource", "set mlops-infra:protect: false or name it in "
           "mlops-infra:allowReplace"),
)  # fmt: skip


def failure(
    log: RunLog,
    error: CommandError,
    *,
    raised: BaseException | None,
    stack: str,
    cluster: Callable[[], Cluster] | None,
    verdict: Verdict | None = None,
) -> MlopsError:
    """The error to raise for a run that ended with `error`.

    Args:
        log: what the engine's events told.
        error: the child's end; its text may hold secrets, only chosen lines of it are shown.
        raised: what our program raised, if it did.
        stack: name of the stack, for the next step.
        cluster: opens the cluster where there is one to ask.
        verdict: why the run was ended, if it was.
    """
    if verdict is not None:
        return unready(verdict, lambda cause: _next(cause, stack))
    if (own := _own(raised)) is not None:
        return own
    if isinstance(error, ConcurrentUpdateError):
        return StackLocked(
            f"stack {stack} is locked by another run",
            where=_line(str(error), "created by"),
            hint=f"wait until it ends; if it has ended: mlops-infra up -s {stack} --break-lock",
        )
    failed = _first_failed(log)
    if failed is not None:
        return _of_resource(failed, log, stack, cluster)
    said = [each for each in log.errors() if not each.message.startswith(_ECHO)]
    text = said[0].message if said else _last_words(error)
    return OperationFailed(_short(text), hint=_advice(_BY_WORDS, text, stack=stack))


def _own(raised: BaseException | None) -> MlopsError | None:
    while raised is not None:
        if isinstance(raised, MlopsError):
            return raised
        if isinstance(raised, ImportError):
            return MissingError(
                f"the program needs a package that is not installed: {raised}",
                hint="make venv, or: pip install 'mlops-infra[onprem]'",
            )
        raised = raised.__cause__
    return None


def _first_failed(log: RunLog) -> Change | None:
    """The first failed resource that is not just the parent of one."""
    objects = [each for each in log.failed if each.type.startswith("kubernetes:")]
    charts = [each for each in objects if each.kind == "Chart"]
    return next(iter([e for e in objects if e not in charts] or charts or log.failed), None)


def _of_resource(
    failed: Change, log: RunLog, stack: str, cluster: Callable[[], Cluster] | None
) -> MlopsError:
    text = _best(log.errors(), failed.urn)
    where = f"{failed.kind} {failed.name}"
    cause = _ask(failed, cluster)
    if cause is not None:
        return unready(Verdict(failed, causes=(cause,)), lambda each: _next(each, stack))
    hint = _advice(_BY_WORDS, text, stack=stack)
    return OperationFailed(f"{where}: {_short(text)}", where=failed.urn, hint=hint)


def _next(cause: Cause, stack: str) -> str | None:
    """The next step: by what the cause says, else by Kubernetes' word for it."""
    return _advice(_BY_WORDS, str(cause), stack=stack) or _advice(
        _BY_REASON, cause.reason, namespace=cause.namespace, pod=cause.pod
    )


def _ask(failed: Change, cluster: Callable[[], Cluster] | None) -> Cause | None:
    space, _, name = failed.name.rpartition("/")
    if cluster is None or not space:
        return None
    try:
        return next(iter(causes(cluster(), space, kind=failed.kind, name=name)), None)
    except MlopsError:
        return None  # the cluster may be what failed; the engine's own words must do then


def _best(said: list[Diagnostic], urn: str) -> str:
    """What was said about this very resource, or else about any; never our program's traceback.

    After a failure the engine shuts its monitor, and the program dies of that: an echo.
    """
    real = [each for each in said if not each.message.startswith(_ECHO)]
    own = [each.message for each in real if each.urn == urn]
    return max(own or [each.message for each in real[:1]], key=len, default="no reason given")


def _advice(table: tuple[Advice, ...], text: str, **names: str) -> str | None:
    for advice in table:
        if re.search(advice.pattern, text, re.IGNORECASE):
            return advice.next.format_map(_Names(names))
    return None


class _Names(dict[str, str]):
    def __missing__(self, key: str) -> str:
        return key.upper()


def _short(text: str) -> str:
    lines = [line.rstrip() for line in text.splitlines() if line.strip()]
    cut = [*lines[:_MAX_LINES], "…"] if len(lines) > _MAX_LINES else lines
    return "\n".join(cut) or "no reason given"


def _last_words(error: CommandError) -> str:
    """Pulumi's own `error:` line; the rest of its output is not shown for it may hold secrets."""
    found = re.findall(r"^\s*(?:stderr: |stdout: )?error: (.+)$", str(error), re.MULTILINE)
    return str(found[-1]).strip() if found else "pulumi failed without a message"


def _line(text: str, holding: str) -> str | None:
    return next((line.strip() for line in text.splitlines() if holding in line), None)
