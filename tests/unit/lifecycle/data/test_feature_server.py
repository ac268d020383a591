"""The feature server's habits: a row that it does not know comes back as nulls that are PRESENT."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any, ClassVar

import pytest

from mlops_infra.errors import FoundError, InputError, OperationFailed
from mlops_infra.lifecycle.data.feature_server import FeatureServer

KNOWN = {1: 0.5, 2: 0.25}
FEATURES = ["demo:heat"]


class FakeFeast(BaseHTTPRequestHandler):
    """Answers as Feast 0.66 was seen to."""

    offline: ClassVar[dict[int, float]] = dict(KNOWN)

    def do_POST(self) -> None:
        length = int(self.headers["Content-Length"])
        body = json.loads(self.rfile.read(length))
        ids = body["entities"].get("id")
        if ids is None:
            self._answer(422, {"detail": "missing join key values for keys: ['id']"})
        elif self.path == "/get-online-features":
            values = [[*ids], [KNOWN.get(i) for i in ids]]
            present = ["PRESENT"] * len(ids)
            self._answer(
                200,
                {
                    "results": [{"values": v, "statuses": present} for v in values],
                    "metadata": {"feature_names": ["id", "heat"]},
                },
            )
        else:  # the join gives rows in its own order
            rows = sorted(ids, reverse=True)
            heat = [self.offline.get(i) for i in rows]
            self._answer(200, {"rows": len(rows), "columns": {"id": rows, "heat": heat}})

    def _answer(self, status: int, body: Any) -> None:
        text = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, *_: Any) -> None:
        pass


@pytest.fixture
def server() -> Iterator[FeatureServer]:
    FakeFeast.offline = dict(KNOWN)
    http = HTTPServer(("127.0.0.1", 0), FakeFeast)
    thread = threading.Thread(target=http.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield FeatureServer(f"http://127.0.0.1:{http.server_port}/")
    http.shutdown()
    thread.join()
    http.server_close()


def test_unknown_rows_are_told_although_feast_calls_them_present(server: FeatureServer) -> None:
    found = server.online(FEATURES, {"id": [1, 7, 2]})
    assert found.values == {"heat": [0.5, None, 0.25]}
    assert found.unknown == (1,)
    with pytest.raises(FoundError) as error:
        found.require({"id": [1, 7, 2]})
    assert error.value.findings == ("id 7",)


def test_online_and_offline_are_held_against_each_other_row_by_row(server: FeatureServer) -> None:
    assert server.parity(FEATURES, {"id": [1, 2]}).startswith("1 features of 2 rows are equal")
    FakeFeast.offline[2] = 0.3
    with pytest.raises(FoundError) as error:
        server.parity(FEATURES, {"id": [1, 2]})
    assert error.value.findings == ("heat of {'id': 2}: 0.25 online, 0.3 offline",)


def test_a_wrong_question_is_told_in_the_servers_words(server: FeatureServer) -> None:
    with pytest.raises(InputError, match="missing join key"):
        server.online(FEATURES, {"machine": [1]})


def test_a_server_that_is_away_is_told_at_once() -> None:
    with pytest.raises(OperationFailed, match="the feature server cannot be reached"):
        FeatureServer("http://127.0.0.1:1").reach()
