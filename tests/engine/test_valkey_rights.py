"""The accounts of tenants at Valkey, as the chart's own start script makes them."""

from __future__ import annotations

import contextlib
import re
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import valkey
import yaml

from mlops_infra import places
from mlops_infra.backup import StoreAccess, store_drift
from mlops_infra.backup import keys as backup
from mlops_infra.lifecycle.services.valkey import client_url
from tests.doors import keys
from tests.engine import valkey_server

CHART = places.project() / "charts" / "valkey"
ACCOUNTS = [keys.Account(name, f"tenant-{name}", f"of-{name}") for name in ("a", "b")]


def test_every_door_opens_or_stays_closed_as_declared(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
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
        _changed_by_hand(endpoint, tmp_path / "valkey/run/valkey/users.acl", monkeypatch)
        assert keys.walk(endpoint, ACCOUNTS) == []


def _changed_by_hand(endpoint: str, declared: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is named, and gone once the accounts are read again."""
    server = valkey.Valkey.from_url(client_url(endpoint), password=valkey_server.PASSWORD)
    access = StoreAccess("s", (), kv_service="valkey")
    plan: Any = SimpleNamespace(components=(SimpleNamespace(name="valkey", simulated=False),))
    monkeypatch.setattr(backup, "_client", lambda _: contextlib.nullcontext(server))
    monkeypatch.setattr(
        backup, "declared_accounts", lambda _: declared.read_text("utf-8").splitlines()
    )
    assert store_drift(access, plan).found == ()
    server.acl_setuser("tenant-a", keys=["*"], reset_keys=False)
    server.acl_deluser("tenant-b")
    server.acl_setuser("stranger", enabled=True, nopass=True, categories=["+@all"])
    assert store_drift(access, plan).found == (
        "key-value store: account stranger is declared nowhere",
        "key-value store: the rights of account tenant-a were changed",
        "key-value store: account tenant-b is missing",
    )
    backup.reload_accounts(access)
    assert store_drift(access, plan).found == ()
