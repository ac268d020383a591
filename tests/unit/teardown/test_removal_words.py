"""What people would lose is told in words and numbers, with the key that allows it."""

from __future__ import annotations

import pytest

from mlops_infra.errors import InputError
from mlops_infra.kube.quantities import amount, gibibytes
from mlops_infra.kube.survey import Found
from mlops_infra.plan import looked_after
from mlops_infra.teardown.removal.loss import Loss, by_kind, counted, refuse

LOSSES = [
    Loss("tenant/demo", "tenant demo is removed", ("2 volumes with 3 GiB", "0 schedules")),
    Loss("component/kserve", "component kserve is removed", ("1 InferenceService (demo/iris)",)),
]


def test_every_loss_is_told_at_once_with_the_line_that_allows_it() -> None:
    with pytest.raises(InputError) as caught:
        refuse(LOSSES, ["tenant/other"], "one")
    assert "\n  tenant demo is removed: 2 volumes with 3 GiB; 0 schedules" in caught.value.what
    assert "1 InferenceService (demo/iris)" in caught.value.what
    # the line replaces the one that is there
    keys = "[component/kserve, tenant/demo, tenant/other]"
    assert f"mlops-infra:allowRemoval: {keys}" in (caught.value.hint or "")


def test_what_is_named_is_allowed_and_the_rest_is_not() -> None:
    refuse(LOSSES, ["tenant/demo", "component/kserve"], "one")
    with pytest.raises(InputError) as caught:
        refuse(LOSSES, ["tenant/demo"], "one")
    assert "tenant demo" not in caught.value.what


@pytest.mark.parametrize(
    ("number", "names", "told"),
    [
        (0, [], "0 models that serve"),
        (1, ["iris"], "1 model that serves (iris)"),
        (2, ["wine", "iris"], "2 models that serve (iris, wine)"),
        (12, [f"m{n:02}" for n in range(12)], "m09 and 2 more)"),
    ],
)
def test_numbers_have_their_names(number: int, names: list[str], told: str) -> None:
    assert counted(number, "model that serves|models that serve", names).endswith(told)


def test_custom_resources_are_named_by_kind() -> None:
    objects = [Found("v1", "B", "bs", "x", "two"), Found("v1", "A", "as", "", "one"),
               Found("v1", "B", "bs", "x", "one")]  # fmt: skip
    assert by_kind(objects) == ["1 A (one)", "2 B (x/one, x/two)"]


def test_quantities_are_compared_as_numbers() -> None:
    assert amount("1500m") > amount("1")
    assert amount("1Gi") == amount("1024Mi")
    assert gibibytes(["1Gi", "512Mi"]) == "1.5 GiB"


def test_a_shared_group_is_told_apart_by_kind() -> None:
    """Katib and Kubeflow Pipelines both have kinds of kubeflow.org."""
    gone = looked_after(["katib"], ["kubeflow-pipelines"])
    assert gone("kubeflow.org", "Experiment")
    assert not gone("kubeflow.org", "ScheduledWorkflow")
    assert not gone("serving.kserve.io", "InferenceService")
    assert looked_after(["kserve"], ["katib"])("serving.kserve.io", "InferenceService")
    assert not looked_after(["argo-workflows"], ["argo-workflows"])("argoproj.io", "Workflow")
