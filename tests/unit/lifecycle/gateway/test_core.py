"""What both protocols of the gateway rest on: settings, statuses, breakers."""

from __future__ import annotations

from dataclasses import replace
from http import HTTPStatus

import pytest

from mlops_infra.errors import InputError
from mlops_infra.lifecycle.gateway.core.answering import outward
from mlops_infra.lifecycle.gateway.core.backend import Answer
from mlops_infra.lifecycle.gateway.core.breaker import FAILURES
from mlops_infra.lifecycle.gateway.core.route import REVISION, Route, Target
from mlops_infra.lifecycle.gateway.core.settings import from_environment
from mlops_infra.lifecycle.gateway.core.table import Table
from tests.unit.lifecycle.serving.fakes import FakeStore


@pytest.mark.parametrize(
    ("text", "log"), [("true", True), ("True", True), ("1", True), ("False", False), ("0", False)]
)
def test_the_log_is_switched_by_any_usual_word(text: str, log: bool) -> None:
    assert from_environment({"MLOPS_INFRA_GATEWAY_LOG": text}).log is log


def test_another_word_switches_nothing_off_in_silence() -> None:
    with pytest.raises(InputError, match="MLOPS_INFRA_GATEWAY_LOG is 'enabled'"):
        from_environment({"MLOPS_INFRA_GATEWAY_LOG": "enabled"})


def test_only_a_time_out_is_told_as_one() -> None:
    late = Answer(0, b"", None, 5.0, "no answer within 5 s", timed_out=True)
    assert outward(late) == HTTPStatus.GATEWAY_TIMEOUT
    said = Answer(500, b"", None, 0.1, "no answer within the tree's depth")
    assert outward(said) == HTTPStatus.BAD_GATEWAY


def route_to(url: str) -> Route:
    return Route("demo", "wine", Target(version="1", url=url, server="wine-v1", name="wine"))


@pytest.mark.parametrize(
    ("url", "leads"),
    [
        ("http://wine-v1-predictor.tenant-demo.svc.cluster.local", True),
        ("http://wine-v1-default.tenant-demo.svc.cluster.local:8000", True),
        ("http://wine-v1-predictor.tenant-other.svc.cluster.local", False),
        ("http://demo@wine.tenant-other.svc.cluster.local", False),
        ("http://wine.tenant-other.svc.cluster.local#.tenant-demo.svc.cluster.local", False),
        ("http://wine.tenant-other.svc.cluster.local/.tenant-demo.svc.cluster.local", False),
        ("http://10.244.0.7:8080", False),
        ("http://wine.tenant-demoXsvc.cluster.local", False),
    ],
)
def test_a_route_leads_to_servers_of_its_own_tenant_alone(url: str, leads: bool) -> None:
    store = FakeStore()
    failed: list[str] = []
    table = Table(store, failed.append, ".tenant-{tenant}.svc.cluster.local")
    own = route_to("http://wine-v1-predictor.tenant-demo.svc.cluster.local")
    route = replace(own, model="bikes", fallback=replace(own.champion, url=url))
    store.put({each.key: each.to_json() for each in (own, route)}, count=REVISION)
    table.refresh()
    assert table.get("demo", "wine") is not None
    assert (table.get("demo", "bikes") is not None) is leads
    assert failed == ([] if leads else ["route"])


def test_a_server_that_comes_back_under_a_new_route_starts_without_old_failures() -> None:
    store = FakeStore()
    table = Table(store)

    def follow(url: str) -> None:
        route = route_to(url)
        store.put({route.key: route.to_json()}, count=REVISION)
        table.refresh()

    follow("http://one")
    served = table.get("demo", "wine")
    assert served is not None
    for _ in range(FAILURES):
        served.champion.breaker.failed()
    follow("http://two")
    follow("http://one")
    again = table.get("demo", "wine")
    assert again is not None
    assert not again.champion.breaker.open
