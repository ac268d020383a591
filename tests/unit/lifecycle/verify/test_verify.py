from __future__ import annotations

import pytest

from mlops_infra.errors import InputError, OperationFailed
from mlops_infra.lifecycle.data import example
from mlops_infra.lifecycle.services import credentials, endpoints
from mlops_infra.lifecycle.verify.platform import Report, verify
from mlops_infra.progress import Event, quiet
from tests.unit.lifecycle.verify.fakes import FakeKeyValue, FakeObjects, FakeTracking, services

WINE = "ad0d0077b30f0f1189e34590dafa9c303e7e571111a28cc280f45db0b01d0054"
"""Of scikit-learn's copy; another value means another canonical form, which breaks old lineage."""


def outcomes(report: Report) -> dict[str, str]:
    return {step.title: step.outcome for step in report.steps}


def test_a_platform_that_works_gets_every_step_done() -> None:
    tracking, store, objects = FakeTracking(), FakeKeyValue(), FakeObjects()
    report = verify(services(tracking, store, objects), quiet)
    assert set(outcomes(report).values()) == {"done"}
    assert report.failures == ()
    record = tracking.records["run1"]
    assert record.tags["mlops-infra.data.sha256"] == example.fingerprint(example.wine())
    assert record.tags["mlops-infra.pipeline_run"] == report.pipeline_run
    assert len(store.held) == 2
    assert objects.held == {}


def test_clean_leaves_nothing() -> None:
    tracking, store, objects = FakeTracking(), FakeKeyValue(), FakeObjects()
    report = verify(services(tracking, store, objects), quiet, clean=True)
    assert report.cleaned
    assert (tracking.records, tracking.models, tracking.versions) == ({}, {}, {})
    assert (store.held, objects.held) == ({}, {})


def test_a_dead_server_fails_once_and_the_rest_says_why_it_was_skipped() -> None:
    seen: list[Event] = []
    report = verify(services(FakeTracking(dead=True), FakeKeyValue()), seen.append, clean=True)
    assert [step.title for step in report.failures] == ["Reaching the endpoints"]
    assert outcomes(report)["Loading it and predicting"] == "skipped"
    assert "needs: Reaching" in next(
        s.detail for s in report.steps if s.title == "Loading the libraries"
    )
    assert {event.outcome for event in seen if event.kind == "finished"} == {"failed", "skipped"}


def test_numbers_that_differ_in_the_last_digits_are_a_failure() -> None:
    report = verify(services(FakeTracking(drifts=True), FakeKeyValue()), quiet)
    assert [step.title for step in report.failures] == ["Loading it and predicting"]
    assert outcomes(report)["Linking both runs"] == "done"


def test_a_run_whose_model_was_not_taken_is_cleaned_all_the_same() -> None:
    tracking = FakeTracking(full=True)
    report = verify(services(tracking, FakeKeyValue()), quiet, clean=True)
    assert [step.title for step in report.failures] == ["Saving the model"]
    assert outcomes(report)["Registering the model"] == "skipped"
    assert report.cleaned
    assert tracking.records == {}


def test_a_corrupting_store_is_found_and_its_object_cleaned() -> None:
    objects = FakeObjects(corrupts=True)
    report = verify(services(FakeTracking(), FakeKeyValue(), objects), quiet, clean=True)
    assert [step.title for step in report.failures] == ["Object store round trip"]
    assert objects.held == {}


def test_what_the_platform_does_not_offer_is_skipped_not_failed() -> None:
    report = verify(services(FakeTracking()), quiet)
    assert report.failures == ()
    assert outcomes(report)["Linking both runs"] == "skipped"
    assert outcomes(report)["Object store round trip"] == "skipped"


def test_the_fingerprint_names_the_content() -> None:
    data = example.wine()
    assert example.fingerprint(data) == WINE
    changed = data.features.copy()
    changed[0, 0] += 1e-9
    other = example.Dataset(data.name, data.columns, changed, data.labels)
    assert example.fingerprint(other) != example.fingerprint(data)


def test_a_stack_that_is_not_up_says_so() -> None:
    with pytest.raises(OperationFailed, match="not deployed") as caught:
        endpoints.from_outputs("sandbox", {})
    assert caught.value.hint == "mlops-infra up -s sandbox"
    with pytest.raises(InputError, match="no tracking server"):
        endpoints.from_outputs("sandbox", {"tracking_uri": None, "profile": "onprem"})


def test_credentials_come_from_secrets_and_do_not_show() -> None:
    class FakeSecrets:
        def read(self, namespace: str, name: str) -> dict[str, str]:
            return {
                ("mlops-stores", "valkey-auth"): {"password": "canary-1"},
                ("mlflow", "mlflow-s3"): {"accessKey": "canary-2", "secretKey": "canary-3"},
            }.get((namespace, name), {})

    found = credentials.credentials(FakeSecrets())
    assert found.tracking is None
    assert found.objects == credentials.Login("canary-2", "canary-3")
    assert "canary" not in repr(found)
