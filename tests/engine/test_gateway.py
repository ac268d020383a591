"""The model gateway by HTTP, in front of real servers."""

from __future__ import annotations

import signal
import threading
import time
from datetime import UTC, datetime

import pytest

from mlops_infra.errors import InputError, OperationFailed
from mlops_infra.lifecycle.gateway.core.route import Route
from mlops_infra.lifecycle.services.database import connect
from tests.engine.gateway_site import Answer, Site, get, post, request


def test_a_request_is_checked_answered_and_logged(site: Site) -> None:
    site.serve()
    answer = site.ask()
    assert answer.status == 200
    number = answer.headers["x-prediction-id"]
    assert answer.document == {
        "model_name": "wine",
        "model_version": "1",
        "id": number,
        "outputs": [{"name": "y", "shape": [1], "datatype": "FP64", "data": [8.5]}],
    }
    (row,) = site.rows(number)
    assert (row["role"], row["version"], row["status"]) == ("champion", "1", 200)
    assert row["request"] == request()
    assert row["response"]["outputs"] == answer.document["outputs"]

    refused = site.ask(request(hour=77))
    assert refused.status == 400
    assert refused.document["fields"] == [
        {"field": "hour", "row": 0, "value": 77, "reason": "77 is above 23: 0 to 23 is allowed"}
    ]
    assert site.ask(b"x" * 5000).status == 413
    assert site.ask(b"{}", inference_header_content_length="3").status == 400
    assert site.ask({**request(), "id": "mine"}).document["id"] == "mine"
    assert post(site.gateway, "/demo/v2/models/wine/infer", request()).status == 401
    assert get(site.gateway, "/other/v2/models/wine").status == 401
    assert get(site.gateway, "/demo/v2/models/none").status == 404
    with pytest.raises(InputError, match="no prediction"):
        site.rows("00000000-0000-7000-8000-000000000000")
    assert 'reason="input"' in get(site.metrics, "/metrics").document
    assert get(site.gateway, "/metrics").status == 404, "at the port that tenants ask"


def test_shares_stick_and_a_failing_challenger_costs_nobody_an_answer(site: Site) -> None:
    site.serve(0.5)
    roles = {
        key: {site.ask(x_request_key=key).headers["x-model-role"] for _ in range(3)}
        for key in (f"user-{n}" for n in range(30))
    }
    assert all(len(seen) == 1 for seen in roles.values()), "the same key, the same model"
    assert {role for seen in roles.values() for role in seen} == {"champion", "challenger"}
    site.control("2", fail=True)
    started = datetime.now(UTC).timestamp()
    answers = [site.ask(x_request_key=f"user-{n}") for n in range(30)]
    assert {answer.status for answer in answers} == {200}
    assert {answer.headers["x-model-version"] for answer in answers} == {"1"}
    seen = site.client.observed("demo", "wine", "2", started)
    assert seen.errors >= 5
    assert seen.error_share == 1.0


def test_a_slow_shadow_is_never_felt(site: Site) -> None:
    site.control("2", delay=1.0)
    site.serve(0.0, shadow=True)
    answers = [site.ask() for _ in range(5)]
    assert max(answer.seconds for answer in answers) < 0.8
    assert {answer.headers["x-model-version"] for answer in answers} == {"1"}
    rows = [site.rows(answer.headers["x-prediction-id"], 2) for answer in answers]
    champion, shadow = sorted(rows[0], key=lambda row: row["role"])
    assert (champion["role"], shadow["role"], shadow["version"]) == ("champion", "shadow", "2")
    assert shadow["latency_ms"] > 900
    assert shadow["disagreement"] == 1.0, "8.5 is not 17"
    assert site.client.observed("demo", "wine", "2", 0).disagreement == 1.0


def test_a_dead_model_is_left_alone_and_comes_back(site: Site) -> None:
    site.serve()
    site.control("1", fail=True)
    assert {site.ask().status for _ in range(6)} == {502, 503}
    quick = site.ask()
    assert (quick.status, quick.seconds < 0.5) == (503, True)
    assert "paused" in quick.document["error"]
    assert get(site.gateway, "/demo/v2/models/wine/ready").status == 503
    site.control("1")
    until = time.monotonic() + 15
    while site.ask().status != 200:
        assert time.monotonic() < until, "the circuit never closed again"
        time.sleep(0.5)
    site.control("1", delay=5)
    late = site.ask()
    assert (late.status, late.document["error"]) == (504, "no answer within 2 s")


def test_what_postgresql_cannot_hold_is_in_the_log_with_its_place_marked(site: Site) -> None:
    site.serve()
    number = site.ask(request(word="a\0b")).headers["x-prediction-id"]
    (row,) = site.rows(number)
    marked = row["request"]
    assert marked["inputs"][2]["data"] == ["a\N{REPLACEMENT CHARACTER}b"]
    assert marked["mlops-infra.replaced"] == ["inputs[2].data[0]"]
    assert row["response"]["outputs"][0]["data"] == [8.5]
    assert "log_marked_total 1.0" in get(site.metrics, "/metrics").document


def test_the_former_champion_answers_and_is_logged_as_such(site: Site) -> None:
    site.serve(fallback="2")
    site.control("1", fail=True)
    answer = site.ask()
    assert (answer.status, answer.headers["x-model-role"]) == (200, "fallback")
    rows = site.rows(answer.headers["x-prediction-id"], 2)
    assert {(row["role"], row["version"], row["status"]) for row in rows} == {
        ("champion", "1", 500),
        ("fallback", "2", 200),
    }


def test_a_version_on_trial_is_asked_by_its_name(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    site.routing.write(Route("demo", "wine", site.target("1"), trial=True))
    reply = site.client.asked("wine", "1", request())
    assert reply.outputs == ({"name": "y", "datatype": "FP64", "shape": [-1]},)
    assert site.ask().status == 503, "nobody else reaches it"
    site.control("1", fail=True)
    assert "this model is broken" in (site.client.asked("wine", "1", request()).reason or "")
    assert "77 is above 23" in (site.client.asked("wine", "1", request(hour=77)).reason or "")
    monkeypatch.setattr("mlops_infra.lifecycle.gateway.client.FOLLOW_SECONDS", 0.5)
    with pytest.raises(OperationFailed, match="does not serve version '9'"):
        site.client.asked("wine", "9", request())


def test_sigterm_finishes_what_is_under_way_and_loses_no_prediction(site: Site) -> None:
    site.serve()
    numbers = [site.ask().headers["x-prediction-id"] for _ in range(300)]
    site.control("1", delay=1.0)
    last: list[Answer] = []
    thread = threading.Thread(target=lambda: last.append(site.ask()))
    thread.start()
    site.until_under_way("1", 1)
    site.process.send_signal(signal.SIGTERM)
    thread.join()
    assert site.process.wait(30) in (0, -signal.SIGTERM)
    assert last[0].status == 200, "the request under way was answered"
    wanted = [*numbers, last[0].headers["x-prediction-id"]]
    with connect(site.database) as connection:
        found = connection.execute(
            "SELECT count(*) FROM prediction WHERE prediction_id = ANY(%s::uuid[])", (wanted,)
        ).fetchone()
    assert found == (301,)


def test_without_its_stores_it_serves_on(site: Site) -> None:
    site.serve()
    site.valkey.send_signal(signal.SIGSTOP)
    try:
        with connect(site.database, autocommit=True) as connection:
            connection.execute("ALTER TABLE prediction RENAME TO gone")
            try:
                assert {site.ask().status for _ in range(50)} == {200}
                assert get(site.gateway, "/readyz").status == 200
                told = get(site.gateway, "/demo/v2/models/wine/observed?since=2026-01-01T00:00:00Z")
                assert told.status == 503
            finally:
                connection.execute("ALTER TABLE gone RENAME TO prediction")
        until = time.monotonic() + 15
        while "log_rows_total 50.0" not in get(site.metrics, "/metrics").document:
            assert time.monotonic() < until, "what waited was never written"
            time.sleep(0.2)
    finally:
        site.valkey.send_signal(signal.SIGCONT)
