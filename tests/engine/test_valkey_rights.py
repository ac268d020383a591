"""The accounts of tenants at Valkey, as the chart's own start script makes them."""

from __future__ import annotations

import re
from pathlib import Path

import yaml

from mlops_infra import places
from tests.doors import keys
from tests.engine import valkey_server

CHART = places.project() / "charts" / "valkey"
ACCOUNTS = [keys.Account(name, f"tenant-{name}", f"of-{name}") for name in ("a", "b")]


def test_every_door_opens_or_stays_closed_as_declared(tmp_path: Path) -> None:
    patterns = yaml.safe_load((CHART / "values.yaml").read_text("utf-8"))["accountKeys"]
    secrets = {"valkey": {"password": valkey_server.PASSWORD}}
    for each in ACCOUNTS:
        secrets[f"accounts/{each.name}-kv"] = {"username": each.name, "password": each.password}
    start = (CHART / "files" / "start.sh").read_text("utf-8")
    with valkey_server.server(tmp_path, start=start, secrets=secrets, account_keys=patterns) as (
        endpoint,
        _,
    ):
        assert re.match(r"redis://127\.0\.0\.1:\d+", endpoint)
        assert keys.walk(endpoint, ACCOUNTS) == []
