"""Pulumi's own engine destroys exactly what `keeping.only` does not name.

The resources are components, which need no plug-in: what is tried is the engine's side of it.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pulumi
import pytest
from pulumi import automation as auto

from mlops_infra.engine.keeping import only
from tests.engine.control_plane import find_binary


class Thing(pulumi.ComponentResource):
    def __init__(self, name: str, opts: pulumi.ResourceOptions) -> None:
        super().__init__("test:index:Thing", name, {}, opts)


def program() -> None:
    key = Thing("key", pulumi.ResourceOptions(protect=True))
    bucket = Thing("bucket", pulumi.ResourceOptions(protect=True, depends_on=[key]))
    Thing("guard", pulumi.ResourceOptions(depends_on=[bucket]))
    Thing("group", pulumi.ResourceOptions(protect=True))
    Thing("rule", pulumi.ResourceOptions(depends_on=[bucket]))


@pytest.fixture
def stack(tmp_path: Path) -> auto.Stack:
    binary = find_binary("pulumi")
    if binary is None:
        pytest.skip("no pulumi on this machine: mlops-infra toolchain install")
    root = tmp_path / "pulumi"
    (root / "bin").mkdir(parents=True)
    (root / "bin" / "pulumi").symlink_to(binary)
    (tmp_path / "state").mkdir()
    (tmp_path / "work").mkdir()
    options = auto.LocalWorkspaceOptions(
        work_dir=str(tmp_path / "work"),
        pulumi_home=str(tmp_path / "home"),
        pulumi_command=auto.PulumiCommand(root=str(root)),
        env_vars={
            "PULUMI_BACKEND_URL": f"file://{tmp_path / 'state'}",
            "PULUMI_CONFIG_PASSPHRASE": "test",
            "PULUMI_SKIP_UPDATE_CHECK": "true",
            "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION": "true",
        },
        project_settings=auto.ProjectSettings(name="keeping", runtime="python"),
    )
    return auto.create_or_select_stack(
        stack_name="test", project_name="keeping", program=program, opts=options
    )


def things(stack: auto.Stack) -> dict[str, str]:
    resources: list[dict[str, Any]] = (stack.export_stack().deployment or {}).get("resources") or []
    return {e["urn"].rpartition("::")[2]: e["urn"] for e in resources if "test:index" in e["urn"]}


def test_what_is_kept_stays_in_the_state_and_the_rest_goes_protected_or_not(
    stack: auto.Stack,
) -> None:
    stack.up()
    made = things(stack)
    assert set(made) == {"key", "bucket", "guard", "group", "rule"}
    keep = [made[name] for name in ("key", "bucket", "guard")]
    stack.import_stack(only(stack.export_stack(), keep))
    stack.destroy(exclude_protected=True)
    assert set(things(stack)) == {"key", "bucket", "guard"}
    stack.up()
    assert set(things(stack)) == set(made)
    stack.import_stack(only(stack.export_stack(), []))
    stack.destroy()
    assert things(stack) == {}
