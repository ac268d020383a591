"""A connected machine compiles nothing: every tool comes from its release's host.

The hosts are fakes on loopback (tests/archive_hosts.py).
"""

import json
import os
import subprocess
import sys

import pytest

from mlops_infra.toolchain import pins
from mlops_infra.toolchain.manifest import target
from tests import made
from tests.archive_hosts import PROGRAM, serving

WANTED = ("etcd", "kube-apiserver", "kube-scheduler", "kubelet", "cni-plugins", "metrics-server")
"""One archive of one tool, one of several tools and several programs, one image."""


def test_all_comes_from_the_archives_and_nothing_is_compiled(tmp_path):
    with serving(tmp_path) as hosts:
        if missing := set(WANTED) - set(hosts.tools):
            pytest.skip(f"not on this machine: {', '.join(missing)}; mlops-infra toolchain install")
        empty = {
            "MLOPS_INFRA_CACHE": str(tmp_path / "cache"),
            "PATH": str(tmp_path),  # no Go, no tools
            "GOROOT": "",
        }
        done = subprocess.run(
            [sys.executable, "-P", "-c", PROGRAM, "toolchain", "install", *hosts.tools, "--json"],
            env={**os.environ, **hosts.env, **empty},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
    rows = json.loads(done.stdout)
    assert {row["name"]: row["origin"].partition(":")[0] for row in rows} == dict.fromkeys(
        hosts.tools, "archive"
    )
    assert not (tmp_path / "cache" / "toolchain" / "go").exists()
    assert sum("kubernetes-server" in path for path in hosts.asked) == 1


def test_what_a_connected_machine_compiles_is_known():
    """KServe and Argo are released as images whose digests were found published nowhere."""
    compiled = {name for name in made.tools() if target() not in pins()[name].archives}
    assert compiled == {"argo-controller", "argo-executor", "kserve-manager"}
