"""Measures `make up STACK=core` on a machine that reaches the archive hosts and has nothing.

The hosts are fakes on loopback that serve what this machine has compiled (tests/archive_hosts.py);
Go may fetch no module, so nothing can be compiled. Packages of Python and Debian come from where
they always come from, so the network to these is measured too.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

from bench.commands import MeasureError, run
from mlops_infra import toolchain
from mlops_infra.cluster.bring_up.sources import CONTROL_PLANE, NODE
from tests.archive_hosts import serving

STACK = "core"
NEEDED = (
    *("pulumi", "pulumi-resource-kubernetes", "helm"),
    *CONTROL_PLANE,
    *NODE,
    *("cni-plugins", "coredns", "metrics-server", "versitygw"),
)
"""What the core takes; each has to be on this machine to be served."""


def measure() -> Iterator[dict[str, float]]:
    """Minutes from nothing to a core that is up.

    Raises:
        MeasureError: a tool is not on this machine, or the core does not come up.
    """
    absent = [name for name in NEEDED if not toolchain.locate(name, from_path=False)]
    if absent:
        raise MeasureError(f"not here: mlops-infra toolchain install {' '.join(absent)}")
    folder = Path(tempfile.mkdtemp(prefix="mlops-infra-connected-"))
    try:
        with serving(folder, compress=True) as hosts:
            env = {
                "HOME": str(folder),
                "XDG_CACHE_HOME": str(folder / "cache"),
                "XDG_DATA_HOME": str(folder / "data"),
                "MLOPS_INFRA_CACHE": str(folder / "cache" / "mlops-infra"),
                "MLOPS_INFRA_DATA": str(folder / "data" / "mlops-infra"),
                "GOPROXY": "off",
                **hosts.env,
            }
            make, copy = Path("make"), str(hosts.checkout)
            variables = ("-C", copy, f"VENV={folder / 'venv'}", f"STACK={STACK}")
            try:
                seconds = run(*variables, "up", env=env, program=make).seconds
            finally:
                run(*variables, "down", env=env, program=make)
            yield {"connected_up_cold": seconds / 60}
    finally:
        shutil.rmtree(folder)
