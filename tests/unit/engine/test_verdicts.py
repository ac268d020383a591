"""Events to verdicts: what changes, what would be lost, what went wrong."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pulumi.automation import CommandResult, EngineEvent
from pulumi.automation.errors import CommandError, ConcurrentUpdateError

from mlops_infra.engine import explain
from mlops_infra.engine.events import Change, Collector, Diagnostic, RunLog
from mlops_infra.engine.protection import losses, refuse_losses, refuse_together
from mlops_infra.errors import InputError, MissingError, OperationFailed, StackLocked
from mlops_infra.kube import Cause
from mlops_infra.progress import Event, Step

URN = "urn:pulumi:one::mlops-infra::kubernetes:apps/v1:StatefulSet::db"


def change(op: str, kind: str = "apps/v1:StatefulSet", *, keys: tuple[str, ...] = ()) -> Change:
    labels = {"mlops-infra.dev/component": "postgresql", "mlops-infra.dev/stateful": "true"}
    metadata = {"name": "postgresql", "namespace": "stores", "labels": labels}
    inputs: dict[str, Any] = {"metadata": metadata}
    return Change(URN, f"kubernetes:{kind}", op, keys, inputs, inputs, protect=False)


@pytest.mark.parametrize("op", ["replace", "create-replacement", "delete-replaced", "delete"])
def test_losing_state_is_refused_with_object_reason_and_key(op: str) -> None:
    with pytest.raises(InputError) as caught:
        refuse_losses([change(op, keys=("spec.volumeClaimTemplates",))], [], "one")
    assert "nothing was changed" in caught.value.what
    assert "postgresql/StatefulSet/postgresql" in caught.value.what
    assert caught.value.hint is not None
    assert "allowReplace: [postgresql/StatefulSet/postgresql]" in caught.value.hint


def test_all_that_is_refused_is_told_at_once() -> None:
    def guard() -> None:
        raise InputError("tenant demo is removed", hint="allow it: tenant/demo")

    with pytest.raises(InputError) as caught:
        refuse_together(guard, lambda: refuse_losses([change("delete")], [], "one"))
    for text in (caught.value.what, caught.value.hint or ""):
        assert "demo" in text
        assert "postgresql/StatefulSet/postgresql" in text
    refuse_together(lambda: None)


@pytest.mark.parametrize("allowed", ["postgresql", "postgresql/StatefulSet/postgresql"])
def test_what_is_named_may_go(allowed: str) -> None:
    refuse_losses([change("replace")], [allowed], "one")


@pytest.mark.parametrize("allowed", ["valkey", "postgresql/StatefulSet/other", "postgres"])
def test_what_is_named_otherwise_may_not(allowed: str) -> None:
    assert losses([change("replace")], [allowed])


@pytest.mark.parametrize("op", ["create", "update", "same", "refresh"])
def test_other_operations_lose_nothing(op: str) -> None:
    assert losses([change(op)], []) == []


def test_a_namespace_and_a_database_password_are_state_a_deployment_is_not() -> None:
    assert losses([change("delete", "core/v1:Namespace")], [])
    assert losses([change("replace", "core/v1:Secret")], [])
    # the seed makes the same one again
    assert losses([change("delete", "core/v1:Secret")], []) == []
    assert losses([change("replace", "apps/v1:Deployment")], []) == []


@given(
    st.dictionaries(
        st.text(max_size=8),
        st.recursive(st.none() | st.text(max_size=4), lambda x: st.lists(x, max_size=2)),
    ),
    st.text(max_size=40),
)
def test_no_input_of_a_resource_can_stop_the_judgement(
    inputs: dict[str, Any], type_token: str
) -> None:
    odd = Change(URN, type_token, "delete", (), {"metadata": inputs}, inputs, protect=False)
    losses([odd], [])
    assert odd.name


def collected(*events: dict[str, Any]) -> tuple[RunLog, list[Event]]:
    shown: list[Event] = []
    collector = Collector(Step(shown.append, "t", None, "resources"))
    for number, event in enumerate(events):
        collector(EngineEvent.from_json({"sequence": number, "timestamp": 0, **event}))
    return collector.log, shown


def pre(op: str, kind: str = "kubernetes:core/v1:ConfigMap") -> dict[str, Any]:
    urn = f"urn:pulumi:one::mlops-infra::{kind}::it"
    state = {"type": kind, "urn": urn, "inputs": {"metadata": {"name": "it"}}}
    return {"resourcePreEvent": {"metadata": {"op": op, "urn": urn, "type": kind,
                                              "new": state}}}  # fmt: skip


def test_a_replacement_counts_once_and_sameness_not_at_all() -> None:
    log, _ = collected(
        pre("same"), pre("create-replacement"), pre("replace"), pre("delete-replaced"),
        pre("read"), pre("create", "pulumi:providers:pulumi"),
    )  # fmt: skip
    assert log.counts() == {"replace": 1}


def test_messages_lose_their_colours_and_repetitions() -> None:
    said = {"message": "<{%reset%}>it broke<{%reset%}>\n", "severity": "error", "color": "raw"}
    log, _ = collected({"diagnosticEvent": said}, {"diagnosticEvent": said})
    assert [each.message for each in log.errors()] == ["it broke"]


def test_ephemeral_status_is_no_diagnostic() -> None:
    said = {"message": "waiting", "severity": "error", "color": "raw", "ephemeral": True}
    assert collected({"diagnosticEvent": said})[0].errors() == []


def failed(log: RunLog, **options: Any) -> Any:
    text = options.pop("text", "")
    error = CommandError(CommandResult(stdout=text, stderr=options.pop("stderr", ""), code=1))
    return explain.failure(
        log, error, **{"raised": None, "stack": "one", "cluster": None, **options}
    )


def cause(**options: Any) -> Cause:
    given = {"reason": "ImagePullBackOff", "message": "ImagePullBackOff: no such tag", **options}
    return Cause("StatefulSet stores/db", "stores", "db-0", "server", patience=0, key="k", **given)


def test_the_pod_is_the_cause_where_there_is_one(monkeypatch: pytest.MonkeyPatch) -> None:
    def causes(_: object, namespace: str, *, kind: str, name: str) -> list[Cause]:
        assert (kind, namespace, name) == ("StatefulSet", "stores", "postgresql")
        return [cause()]

    monkeypatch.setattr(explain, "causes", causes)
    log = RunLog(failed=[change("create")])
    found = failed(log, cluster=lambda: None)
    assert isinstance(found, OperationFailed)
    assert "Pod stores/db-0, container server: ImagePullBackOff: no such tag" in found.what
    assert "image" in found.hint


def test_the_failed_object_is_told_and_not_its_parents_or_the_echo() -> None:
    chart = Change("urn:c", "kubernetes:helm.sh/v4:Chart", "create", (), {}, {}, protect=False)
    log = RunLog(
        failed=[chart, change("create")],
        diagnostics=[
            Diagnostic("urn:c", "error", "python inline source runtime error: monitor shut down"),
            Diagnostic(URN, "error", 'storageclass.storage.k8s.io "fast" not found'),
            Diagnostic("", "error", "update failed"),
        ],
    )
    found = failed(log)
    assert found.what == (
        'StatefulSet stores/postgresql: storageclass.storage.k8s.io "fast" not found'
    )
    assert "cluster.storageClass" in found.hint


def test_an_error_of_ours_inside_the_program_comes_out_as_it_was() -> None:
    own = MissingError("the seed is gone", hint="restore it")
    outer = RuntimeError("wrapped")
    outer.__cause__ = own
    assert failed(RunLog(), raised=outer) is own


def test_a_lock_of_a_remote_backend_is_explained() -> None:
    error = ConcurrentUpdateError(
        CommandResult(
            stdout="", stderr="locked by 1 lock(s)\n s3://b/x: created by lee@far", code=1
        )
    )
    found = explain.failure(RunLog(), error, raised=None, stack="one", cluster=None)
    assert isinstance(found, StackLocked)
    assert found.where is not None
    assert "lee@far" in found.where


def test_a_registry_out_of_reach_is_not_taken_for_the_cluster() -> None:
    text = "error: Job a/b: ErrImagePull: dial tcp 10.0.0.1:5000: connect: connection refused"
    assert "registry in the stack's file" in failed(RunLog(), stderr=text).hint
    gone = failed(RunLog(), stderr="error: dial tcp 10.0.0.1:6443: connect: connection refused")
    assert "check that the cluster runs" in gone.hint


def test_output_of_the_child_is_not_repeated_for_it_may_hold_secrets() -> None:
    found = failed(
        RunLog(), text="password: hunter2", stderr="token hunter3\nerror: incorrect passphrase"
    )
    assert "hunter" not in str(found)
    assert found.what == "incorrect passphrase"
    assert "restore the file" in found.hint


def test_long_messages_are_cut() -> None:
    log = RunLog(diagnostics=[Diagnostic("", "error", "\n".join(map(str, range(99))))])
    assert len(failed(log).what.splitlines()) <= 13
