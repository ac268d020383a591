"""The stores are taken away with their data kept, and are there again with it."""

from __future__ import annotations

from tests.e2e.platform import Platform


def test_kept_data_is_taken_over_by_the_next_up(platform: Platform) -> None:
    from mlflow import MlflowClient

    run = MlflowClient(platform.outputs["tracking_uri"]).create_run("0", run_name="kept")
    platform.objects("mlflow").put("kept/one", b"kept")
    down = platform.json("down", "-s", platform.stack, "--keep-data")
    assert down["leftovers"] == []
    claims = [line.partition(" ")[0] for line in down["kept"]]
    assert sum(each.startswith("mlops-stores/postgresql-") for each in claims) == 3
    assert "mlops-stores/data-seaweedfs-0" in claims
    platform.up()
    client = MlflowClient(platform.outputs["tracking_uri"])
    assert client.get_run(run.info.run_id).info.run_name == "kept"
    assert platform.objects("mlflow").get("kept/one") == b"kept"
