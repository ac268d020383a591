"""Plan and push agree on where an image lies in the site's registry."""

from __future__ import annotations

import pytest

from mlops_infra.errors import InputError
from mlops_infra.plan.images.roles import relocated
from offline_bundle import references
from offline_bundle.push import targets


@pytest.mark.parametrize(
    "reference",
    [
        "docker.io/library/busybox:1.36",
        "ghcr.io/kubeflow/kfp-launcher:2.15.0",
        "mlops-infra.local/mlflow:3.17.2",
        f"registry.example/{'deep/' * 40}image:1",
    ],
)
def test_the_plan_finds_what_was_pushed(reference: str) -> None:
    repository = references.parse(reference).repository
    planned = relocated(reference, "registry.site:5000/ml").rpartition(":")[0]
    pushed = targets.parse("registry.site:5000/ml").repository(repository)
    assert f"registry.site:5000/{pushed}" == planned


def test_a_port_becomes_part_of_a_path_that_registries_take() -> None:
    assert targets.parse("site.local").repository("127.0.0.1:5000/a/b") == "127.0.0.1-5000/a/b"


@pytest.mark.parametrize(
    "text", ["https://site", "site/UPPER", "", "site:5000/../x", "a b", "site"]
)
def test_what_is_no_registry_is_refused(text: str) -> None:
    with pytest.raises(InputError):
        targets.parse(text)
