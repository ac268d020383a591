"""What the guard sees in a plan alone: no cluster is asked where nothing goes."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

import pytest

from mlops_infra.engine import Result
from mlops_infra.engine.aws_live import ENDPOINT
from mlops_infra.engine.events import Change
from mlops_infra.errors import InputError
from mlops_infra.progress import quiet
from mlops_infra.teardown import RemovalGuard

STACK = {"type": "pulumi:pulumi:Stack", "urn": "u", "outputs": {"environment": "dev"}}
SPACE = {"type": "kubernetes:core/v1:Namespace", "urn": "n", "id": "tenant-demo"}


def guard(
    *, site: object = None, environment: str = "dev", allowed: tuple[str, ...] = ()
) -> RemovalGuard:
    config = SimpleNamespace(tenants={"demo": None}, environment=environment, allow_removal=allowed)
    want = SimpleNamespace(stack="one", config=config, plan=SimpleNamespace(components=[]))
    record = SimpleNamespace(site=site, kubeconfig="/nonexistent", context=None)
    engine = SimpleNamespace(record=record, resources=[STACK, SPACE])
    return RemovalGuard(cast("Any", want), cast("Any", engine), quiet, lambda _tenant: [])


def planned(*changes: Change, **counts: int) -> Result:
    return Result(changes, counts, {})


def test_where_nothing_goes_no_cluster_is_asked() -> None:
    found = guard()
    found.allow(planned(create=3, update=2, delete=1))
    found.make_way()
    assert found.look(planned()) == []


def test_an_endpoint_that_serves_goes_only_by_name() -> None:
    gone = Change("urn::demand", ENDPOINT, "delete", (), {"name": "x-demand"}, {}, protect=False)
    with pytest.raises(InputError) as caught:
        guard(site="aws").allow(planned(gone, delete=1))
    assert "the endpoint x-demand is removed" in caught.value.what
    assert "allowRemoval: [endpoint/x-demand]" in (caught.value.hint or "")
    consented = guard(site="aws", allowed=("endpoint/x-demand",))
    consented.allow(planned(gone, delete=1))
    assert "x-demand is removed" in consented.allowed[0]


@pytest.mark.parametrize("site", [None, "aws"])
def test_another_environment_is_told_where_it_deletes(site: object) -> None:
    found = guard(site=site, environment="prod")
    assert found.look(planned(update=4)) == []
    told = found.look(planned(delete=3, replace=2))
    assert told[0] == (
        "environment dev becomes prod: 5 resources are deleted or replaced, with what they hold"
    )
    assert "mlops-infra:allowRemoval has environment" in told[1]
