"""`down` of a stack of the aws profile, around its Pulumi state."""

from __future__ import annotations

from collections.abc import Sequence

from mlops_infra.aws import Cloud
from mlops_infra.engine import Engine
from mlops_infra.engine.tools import ready_for_aws
from mlops_infra.errors import InputError
from mlops_infra.progress import Sink
from mlops_infra.teardown.aws.down import take_apart
from mlops_infra.teardown.aws.scope import Made, Scope
from mlops_infra.teardown.model.options import DownOptions
from mlops_infra.teardown.model.result import DownResult
from mlops_infra.teardown.model.state import Deployed


def take_down(
    engine: Engine, deployed: Deployed, options: DownOptions, done: DownResult, sink: Sink
) -> None:
    """Take the stack away and write into `done` what came of it.

    What the configuration protects is kept, not refused: with it go the state and the record, so
    that the next `up` finds it again.

    Raises:
        InputError: an option that only a cluster has, the wrong account, or a lost passphrase.
        MissingError: no credentials, or Pulumi's plug-in for AWS cannot be had.
        OperationFailed: something does not stop, or AWS refuses.
    """
    record = engine.record
    assert record.site is not None  # noqa: S101 - the caller asked
    _refuse_cluster_options(options)
    if not deployed.empty:
        _refuse_lost_passphrase(engine)
        ready_for_aws(sink)  # missing, it is told now and not after the drain
    scope = Scope.of(engine.stack, str(record.base), deployed.resources)
    if options.keep_data:
        scope = scope.holding_data()

    def destroy(keep: Sequence[Made]) -> int:
        if deployed.empty:
            return 0
        return engine.destroy(keep=[each.urn for each in keep]).changed

    came = take_apart(Cloud(record.site), scope, destroy, sink, purge=options.purge)
    done.removed, done.kept, done.leftovers = came.removed, came.kept, came.leftovers


def _refuse_cluster_options(options: DownOptions) -> None:
    given = {
        "--keep-cluster": options.keep_cluster,
        "--forget-unreachable": options.forget_unreachable,
        "--remove-blockers": options.remove_blockers,
    }
    named = [name for name, value in given.items() if value]
    if named:
        raise InputError(
            f"{', '.join(named)}: the aws profile has no cluster", hint="omit the option"
        )


def _refuse_lost_passphrase(engine: Engine) -> None:
    if not engine.stack_dir.opens(engine.record.secrets_provider):
        raise InputError(
            "the passphrase is missing, so Pulumi cannot read the state",
            where=str(engine.stack_dir.passphrase),
            hint="restore it from a backup",
        )
