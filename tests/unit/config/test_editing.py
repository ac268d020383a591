"""Taking a tenant out of a file that people wrote: its lines go, every other one stays."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from mlops_infra import places
from mlops_infra.config import with_removal, without_tenant
from mlops_infra.errors import InputError

FILES = [
    file
    for file in sorted((places.project() / "stacks").glob("Pulumi.*.yaml"))
    if "mlops-infra:tenants" in file.read_text("utf-8")
]
KEY = "mlops-infra:tenants"


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_the_lines_of_one_tenant_go_and_no_other(file: Path) -> None:
    text = file.read_text("utf-8")
    declared = yaml.safe_load(text)["config"][KEY]
    for name in declared:
        left = without_tenant(text, name, where=str(file))
        expected = yaml.safe_load(text)["config"]
        del expected[KEY][name]
        if not expected[KEY]:
            del expected[KEY]
        assert yaml.safe_load(left)["config"] == expected
        before = iter(text.splitlines())
        assert all(line in before for line in left.splitlines()), "in order, nothing rewritten"
        assert left.count("#") >= text.count("#") - _comments_inside(text, name)


def test_the_last_one_takes_the_key_with_it_and_comments_after_it_stay() -> None:
    text = (
        "# top\nconfig:\n  mlops-infra:profile: onprem\n  mlops-infra:tenants:\n"
        "    only: # a team\n      owner: |\n        kim\n  # about the policy\n"
        "  mlops-infra:policy: standard  # said by the owner\n"
    )
    assert without_tenant(text, "only", where="f") == (
        "# top\nconfig:\n  mlops-infra:profile: onprem\n"
        "  # about the policy\n  mlops-infra:policy: standard  # said by the owner\n"
    )


@pytest.mark.parametrize(
    "tenants",
    ["{a: {}, b: {}}", "\n    a: &same {owner: kim}\n    b: *same"],
    ids=["flow", "anchor"],
)
def test_lines_that_others_need_are_left_to_a_person(tenants: str) -> None:
    text = f"config:\n  {KEY}: {tenants}\n"
    with pytest.raises(InputError, match="shares its lines") as caught:
        without_tenant(text, "a", where="stacks/Pulumi.x.yaml")
    assert "by hand" in (caught.value.hint or "")


def test_an_empty_tenant_goes_too() -> None:
    text = f"config:\n  {KEY}:\n    a:\n    b: {{}}\n"
    assert without_tenant(text, "a", where="f") == f"config:\n  {KEY}:\n    b: {{}}\n"
    assert without_tenant(text, "b", where="f") == f"config:\n  {KEY}:\n    a:\n"


def _comments_inside(text: str, name: str) -> int:
    body = text.partition(f"\n    {name}:")[2]
    lines = body.splitlines()[1:]
    own = []
    for line in lines:
        if line.strip() and len(line) - len(line.lstrip()) <= 4:
            break
        own.append(line)
    return sum(line.count("#") for line in own)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("", "  mlops-infra:allowRemoval: [tenant/a]\n"),
        (
            "  mlops-infra:allowRemoval: [component/kserve]\n",
            "  mlops-infra:allowRemoval: [component/kserve, tenant/a]\n",
        ),
        (
            "  mlops-infra:allowRemoval:\n    - quota/b\n",
            "  mlops-infra:allowRemoval: [quota/b, tenant/a]\n",
        ),
        ("  mlops-infra:allowRemoval: [tenant/a]\n",) * 2,
    ],
)
def test_consent_is_added_once(before: str, after: str) -> None:
    head, rest = "# top\nconfig:\n", "  mlops-infra:profile: onprem  # chosen\n"
    assert with_removal(f"{head}{before}{rest}", "tenant/a", where="f") == f"{head}{after}{rest}"


def test_consent_in_one_line_with_others_is_left_to_a_person() -> None:
    text = "config: {mlops-infra:profile: onprem}\n"
    with pytest.raises(InputError, match="shares its lines"):
        with_removal(text, "tenant/a", where="f")
