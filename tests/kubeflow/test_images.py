"""The images that only this tier makes are whole, and made again they are the same to the bit."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from mlops_infra import images
from mlops_infra.progress import quiet
from tests import made
from tests.e2e.image_roots import run
from tests.e2e.test_images import STORM, rebuilt, require_whole

root = pytest.mark.skipif(os.geteuid() != 0, reason="entering an image needs root")


@pytest.mark.parametrize("name", made.apart())
def test_a_layout_is_whole_and_its_bill_of_materials_refers_to_it(name: str) -> None:
    require_whole(name)


@STORM
def test_two_builds_on_different_days_are_the_same_to_the_bit(tmp_path: Path) -> None:
    names = made.apart()
    images.build_many(names, quiet)
    one = rebuilt(tmp_path / "one", names, 0, "022", LC_ALL="C", TZ="UTC", PYTHONHASHSEED="1")
    two = rebuilt(tmp_path / "two", names, 400 * 86400, "077", TZ="Asia/Seoul", PYTHONHASHSEED="77")
    assert one == two


@root
@pytest.mark.parametrize("service", ["hyperopt", "optuna", "skopt", "hyperband", "pbt", "darts"])
def test_one_image_has_every_service_that_proposes_parameters(
    service: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    script = f"katib-service {service} > /tmp/log 2>&1 & " + HEALTHY
    assert "status: SERVING" in run("katib-services", script, tmp_path_factory.getbasetemp())


@root
def test_a_service_that_is_not_there_is_told(tmp_path_factory: pytest.TempPathFactory) -> None:
    script = "katib-service nothing && exit 1 || echo refused $?"
    assert "refused 1" in run("katib-services", script, tmp_path_factory.getbasetemp())


@root
def test_the_collector_of_metrics_finds_what_it_is_to_stop(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    """Its library asks the program `pgrep` for the children of a trial's shell."""
    script = "sleep 60 & pgrep -P $$ > /tmp/found; cat /tmp/found; echo $!; kill $!"
    told = run("katib-metrics-collector", script, tmp_path_factory.getbasetemp()).split()
    assert told[-1] in told[:-1]


HEALTHY = """
for n in $(seq 60); do
python3 - <<'END' && exit 0 || sleep 1
import sys
sys.path[:0] = ["/opt/katib", "/opt/katib/pkg/apis/manager/health/python"]
import grpc
from pkg.apis.manager.health.python import health_pb2, health_pb2_grpc
with grpc.insecure_channel("127.0.0.1:6789") as channel:
    asked = health_pb2.HealthCheckRequest(service="manager.v1beta1.Suggestion")
    print(health_pb2_grpc.HealthStub(channel).Check(asked, timeout=10))
END
done
cat /tmp/log
exit 1
"""
