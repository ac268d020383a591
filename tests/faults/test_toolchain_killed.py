"""A build that is killed leaves nothing that the next one trips over."""

import os
import signal
import subprocess
import sys
import time

import pytest

from mlops_infra.progress import quiet
from mlops_infra.toolchain import ensure, locate
from tests.unit.toolchain.conftest import kit as kit  # a fixture

CHILD = """
from pathlib import Path
from mlops_infra import places
from mlops_infra.progress import quiet
from mlops_infra.toolchain import ensure, manifest
root = Path({root!r})
places.project = lambda: root / "project"
manifest._DATA = root / "tools.yaml"
ensure(["demo"], quiet)
"""
SLOW = ': > "$RECORD.compiling"; while :; do echo a/b >&2; /bin/sleep 0.05; done'


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGINT])
def test_a_killed_build_is_taken_up_again(kit, how):
    kit.go(body=SLOW)
    child = subprocess.Popen(
        [sys.executable, "-c", CHILD.format(root=str(kit.root))],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        stderr=subprocess.DEVNULL,
    )
    deadline = time.monotonic() + 30
    while not (kit.root / "record.compiling").exists():
        assert child.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.01)
    child.send_signal(how)
    assert child.wait(10) != 0
    assert locate("demo") is None
    kit.go()
    started = time.monotonic()
    assert ensure(["demo"], quiet)["demo"].source == "built"
    assert time.monotonic() - started < 10
    assert list((kit.store / "work").iterdir()) == []
