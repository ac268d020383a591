"""What is asked of a stack that was never brought up is answered at once, without any tool."""

from pathlib import Path

import pytest

from mlops_infra import places, toolchain
from mlops_infra.engine import open_engine, reading
from mlops_infra.errors import InputError
from mlops_infra.progress import quiet


@pytest.mark.parametrize("stack", ["core", "aws-dev"])
def test_a_stack_that_was_never_up_needs_no_tool_to_say_so(
    stack: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MLOPS_INFRA_DATA", str(tmp_path))
    monkeypatch.setattr(toolchain, "ensure", None)
    file = places.project() / "stacks" / f"Pulumi.{stack}.yaml"
    assert reading(stack, file, quiet) is None
    with pytest.raises(InputError, match="not deployed"):
        open_engine(stack, file, quiet)
    assert list(tmp_path.rglob("*")) == []


def test_a_state_elsewhere_is_asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLOPS_INFRA_DATA", str(tmp_path))
    monkeypatch.setattr(toolchain, "ensure", _asked)
    file = tmp_path / "Pulumi.core.yaml"
    text = (places.project() / "stacks" / "Pulumi.core.yaml").read_text("utf-8")
    file.write_text(
        text.replace("config:", "config:\n  mlops-infra:backend: {url: s3://states}", 1)
    )
    with pytest.raises(_AskedError):
        reading("core", file, quiet)


class _AskedError(Exception):
    """The tools were asked for."""


def _asked(*_: object) -> None:
    raise _AskedError
