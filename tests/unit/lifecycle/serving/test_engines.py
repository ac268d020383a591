"""Which model server serves a model: what the plan writes is what promotion reads."""

from __future__ import annotations

from typing import Any

import pytest

from mlops_infra.errors import InputError
from mlops_infra.lifecycle.serving.engines import Engines, read
from mlops_infra.lifecycle.serving.kserve import KServe
from mlops_infra.lifecycle.serving.seldon import Loader, Seldon
from tests.unit.lifecycle.serving.test_serving import FakeCluster
from tests.unit.plan import plans

MANAGED = {"state": "managed"}
BOTH = {"kserve": MANAGED, "seldon-core": MANAGED, "lifecycle": MANAGED}
TENANTS = {"a": {"models": {"wine": {"serving": "seldon-core"}, "churn": {}}}}


def engines(components: Any = BOTH, **more: Any) -> Engines:
    values = {
        "components": components,
        "tenants": TENANTS,
        "licence": {"accept": ["seldon-core"]},
        # a registry, because nobody publishes the image of steps and notebooks
        "network": {"registry": "r.example:5000"},
        **more,
    }
    return read(plans.of_values(**values).component("tenant-a").values["platform"], "the plan")


def test_each_model_has_the_engine_that_it_names_and_others_the_stacks() -> None:
    both = engines()
    assert (both.of("wine"), both.of("churn"), both.of("undeclared")) == (
        "seldon-core", "kserve", "kserve",
    )  # fmt: skip
    assert both.of("wine", "kserve") == "kserve", "a person may name another"
    default = {**MANAGED, "settings": {"serving": "seldon-core"}}
    assert engines({**BOTH, "lifecycle": default}).of("churn") == "seldon-core"


def test_both_serve_side_by_side() -> None:
    made = engines().servings(FakeCluster())
    assert {name: type(each) for name, each in made.items()} == {
        "kserve": KServe, "seldon-core": Seldon,
    }  # fmt: skip


def test_without_kserve_everything_is_seldons() -> None:
    alone = engines({"seldon-core": MANAGED, "lifecycle": MANAGED})
    assert (alone.of("churn"), alone.there) == ("seldon-core", ("seldon-core",))
    with pytest.raises(InputError, match="'kserve' is not deployed"):
        alone.of("churn", "kserve")


def test_a_stack_without_a_model_server_says_so() -> None:
    none = engines({"lifecycle": MANAGED}, tenants={"a": {}}, licence={})
    with pytest.raises(InputError, match="no model server"):
        none.of("wine")


def test_the_loader_comes_from_where_all_images_do_and_knows_the_sites_authorities() -> None:
    image = "r.example:5000/docker.io/seldonio/rclone-storage-initializer:1.17.1"
    assert engines().loader == Loader(image)
    keys = {"accessKey": {"env": "A"}, "secretKey": {"env": "S"}}
    store = {"state": "external", "endpoint": "https://s3.example.com", "secret": "site"}
    network = {"registry": "r.example:5000", "ca": "ca.pem"}
    told = engines(stores={"object": store}, secrets={"site": keys}, network=network)
    assert told.loader == Loader(image, "site-ca")


def test_an_older_releases_tenant_is_told_what_to_do() -> None:
    with pytest.raises(InputError, match="MLOPS_INFRA_SERVING") as caught:
        read({"MLOPS_INFRA_TENANT": "a"}, "ConfigMap tenant-a/platform")
    assert "mlops-infra up" in (caught.value.hint or "")
