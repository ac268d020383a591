"""A tunnel by a program that behaves like kubectl, well and badly."""

from __future__ import annotations

import sys
import time
from pathlib import Path

import pytest

from mlops_infra.errors import OperationFailed
from mlops_infra.kube.tunnel import forwarded_port


def _kubectl(script: str) -> list[str]:
    return [sys.executable, "-c", script]


def test_the_port_is_read_and_a_talkative_kubectl_never_stops(tmp_path: Path) -> None:
    """It says a line for each connection, and stands still once nobody reads them."""
    went_on = tmp_path / "went-on"
    script = (
        "import pathlib, time\n"
        "print('Forwarding from 127.0.0.1:4711 -> 5432', flush=True)\n"
        "for _ in range(20000): print('Handling connection for 4711')\n"
        f"pathlib.Path('{went_on}').touch(); time.sleep(60)\n"
    )
    with forwarded_port(_kubectl(script), "stores", "svc/x", 1) as port:
        assert port == 4711
        ends = time.monotonic() + 20
        while not went_on.exists():
            assert time.monotonic() < ends
            time.sleep(0.05)


def test_a_kubectl_that_says_half_a_line_is_given_up_in_time() -> None:
    script = "import time; print('Forwarding', end='', flush=True); time.sleep(60)"
    started = time.monotonic()
    with (
        pytest.raises(OperationFailed, match="no answer"),
        forwarded_port(_kubectl(script), "stores", "svc/x", 1, seconds=0.5),
    ):
        pass
    assert time.monotonic() - started < 10


def test_what_kubectl_says_is_told() -> None:
    script = "import sys; sys.exit('error: services x not found')"
    with (
        pytest.raises(OperationFailed, match="services x not found"),
        forwarded_port(_kubectl(script), "stores", "svc/x", 1),
    ):
        pass
