"""The emulator of the tests for AWS: moto's server, with `moto_gaps`, on a free port of loopback.

No AWS answers here. What holds is that our calls are well formed and in an order that services
with these refusals take; nothing is said about permissions, quotas or eventual consistency.
"""

from __future__ import annotations

import functools
import os
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.error import URLError
from urllib.request import Request, urlopen

from mlops_infra.aws import Cloud, Site
from tests import tools

MOTO = "moto[server]==5.2.5"
ACCOUNT, REGION = "123456789012", "us-east-1"
_GAPS = Path(__file__).with_name("moto_gaps.py")
_START_SECONDS = 60


@dataclass(frozen=True, slots=True)
class Emulator:
    url: str

    @property
    def site(self) -> Site:
        return Site(REGION, ACCOUNT, None, self.url)

    def cloud(self) -> Cloud:
        return _cloud(self.site)  # clients take a while to make, and hold no state

    def reset(self) -> None:
        request = Request(f"{self.url}/moto-api/reset", method="POST")  # noqa: S310 - loopback
        with urlopen(request, timeout=30):  # noqa: S310
            pass


_cloud = functools.cache(Cloud)


@contextmanager
def emulator(
    folder: Path, *, long: bool = True, container: int | None = None
) -> Iterator[Emulator]:
    """Run one.

    With `long`, executions and training go on until somebody stops them; otherwise they end at once
    and register what their definition says. `container` is the port that answers for endpoints.
    """
    bin_folder = tools.environment(MOTO)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    flags = ["--long"] if long else []
    flags += ["--invoke", str(container)] if container is not None else []
    env = {**os.environ, "MOTO_IAM_LOAD_MANAGED_POLICIES": "false"}
    log = (folder / "moto.log").open("wb")
    child = subprocess.Popen(
        [bin_folder / "python", _GAPS, str(port), *flags],
        stdout=log, stderr=subprocess.STDOUT, env=env,
    )  # fmt: skip
    try:
        url = f"http://127.0.0.1:{port}"
        _ready(url, child)
        yield Emulator(url)
    finally:
        child.terminate()
        child.wait(20)
        log.close()


def _ready(url: str, child: subprocess.Popen[bytes]) -> None:
    ends = time.monotonic() + _START_SECONDS
    while time.monotonic() < ends:
        try:
            with urlopen(f"{url}/moto-api/data.json", timeout=5):  # noqa: S310
                return
        except (URLError, OSError):
            assert child.poll() is None, "the emulator ended: see moto.log"
            time.sleep(0.1)
    raise AssertionError("the emulator did not answer")
