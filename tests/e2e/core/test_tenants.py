"""Two tenants leave: what becomes of their data was said before."""

from __future__ import annotations

import pytest

from mlops_infra.errors import OperationFailed
from tests.e2e.platform import Platform, cluster_client

TENANTS = {
    "stays": {"owner": "choi", "onRemoval": "archive"},
    "goes": {"owner": "choi", "onRemoval": "purge"},
}


def test_one_is_archived_and_one_is_purged(platform: Platform) -> None:
    from kubernetes.client import CoreV1Api

    platform.configure(tenants=TENANTS)
    platform.up()
    for name in TENANTS:
        platform.objects(f"tenant-{name}", name).put("kept/model.txt", name.encode())
    mine = platform.objects("tenant-stays", "goes")
    with pytest.raises(OperationFailed):
        mine.put("alien.txt", b"of another tenant")
    rows = platform.json("tenant", "list", "-s", "core", "--archived")["tenants"]
    assert {row["name"]: row["state"] for row in rows} == {"stays": "up", "goes": "up"}

    for name in TENANTS:
        platform.ok("tenant", "remove", "-s", "core", name)
    platform.up()
    spaces = {n.metadata.name for n in CoreV1Api(cluster_client(platform)).list_namespace().items}
    assert not spaces & {"tenant-stays", "tenant-goes"}
    rows = platform.json("tenant", "list", "-s", "core", "--archived")["tenants"]
    assert [(row["name"], row["state"], row["objects"]) for row in rows] == [
        ("stays", "archived", 1)
    ]
    assert platform.json("up", "-s", "core")["counts"] == {}
    platform.configure(tenants={"stays": TENANTS["goes"]})
    platform.up()
    assert platform.objects("tenant-stays", "stays").get("kept/model.txt") == b"stays"
    platform.ok("tenant", "remove", "-s", "core", "stays")
    platform.up()
    assert platform.json("tenant", "list", "-s", "core", "--archived")["tenants"] == []
