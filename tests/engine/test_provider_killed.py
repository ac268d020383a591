"""An `up` that is interrupted or killed at any moment is finished by the next one."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.engine.control_plane import ControlPlane
from tests.engine.killed_up import program
from tests.engine.stacks import Stack
from tests.engine.test_provider import bind_claims

# the API server of the tests has a certificate that nobody has signed
pytestmark = pytest.mark.filterwarnings("ignore::urllib3.exceptions.InsecureRequestWarning")

MOMENTS = {
    "as it begins": "",
    "before the Deployment": "/api/v1/namespaces/{}/configmaps/settings",
    "before the StatefulSet": "/apis/apps/v1/namespaces/{}/deployments/web",
    "while it waits": "/apis/apps/v1/namespaces/{}/statefulsets/store",
}


@pytest.mark.parametrize("moment", MOMENTS)
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL], ids=lambda each: each.name)
def test_the_next_up_finishes_it_and_nothing_is_twice(
    make_stack: Callable[..., Stack],
    api_server: ControlPlane,
    namespace: str,
    tmp_path: Path,
    moment: str,
    number: signal.Signals,
) -> None:
    bind_claims(api_server, namespace, "data-store-0")
    child = start_up(tmp_path / "stack", api_server, namespace)
    uids = wait_for(api_server, MOMENTS[moment].format(namespace))
    os.killpg(child.pid, number)
    child.wait(timeout=30)
    until(lambda: plugins_of(tmp_path) == [])

    stack = make_stack()
    stack.program = program(namespace, "good/app:1")
    stack.up()
    assert stack.changes() == {}
    if uids:
        assert wait_for(api_server, MOMENTS[moment].format(namespace)) == uids
    assert len(stack.resources("StatefulSet")) == 1
    assert '"pending_operations": [{' not in stack.state_text()
    stack.down()
    for kind in ("statefulsets", "deployments"):
        left = api_server.request("GET", f"/apis/apps/v1/namespaces/{namespace}/{kind}")
        assert left["items"] == []


def start_up(folder: Path, api_server: ControlPlane, namespace: str) -> subprocess.Popen[bytes]:
    folder.mkdir()
    return subprocess.Popen(
        [sys.executable, "-m", "tests.engine.killed_up", folder, api_server.kubeconfig, namespace],
        start_new_session=True,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        cwd=Path(__file__).parents[2],
    )


def wait_for(api_server: ControlPlane, path: str) -> str:
    """Wait until the object at `path` exists and give its uid; without a path, two seconds."""
    if not path:
        time.sleep(2)
        return ""
    found: list[str] = []

    def there() -> bool:
        live = api_server.request("GET", path)
        found.extend([live["metadata"]["uid"]] if live else [])
        return bool(live)

    until(there)
    return found[-1]


def until(done: Callable[[], bool]) -> None:
    ends = time.monotonic() + 60
    while not done():
        assert time.monotonic() < ends, "waited in vain"
        time.sleep(0.05)


def plugins_of(folder: Path) -> list[str]:
    """Command lines of Pulumi's processes whose environment names the test's folder."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            command = (process / "cmdline").read_bytes().decode()
            variables = (process / "environ").read_bytes().decode(errors="replace")
        except OSError:
            continue
        if "pulumi" in command.partition("\0")[0] and str(folder) in variables:
            found.append(command)
    return found
