"""`check` opens no socket: seen by the interpreter itself, and without any network interface."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.golden import ROOT

AUDITED = """
import sys

def watch(event, arguments):
    if event.startswith(("socket.", "urllib.", "http.", "ftplib.", "smtplib.")):
        if event != "socket.gethostname":
            raise SystemExit(f"a socket was touched: {event} {arguments}")

sys.addaudithook(watch)
from mlops_infra.cli.main import main
main(sys.argv[1:])
"""
GOAL_SECONDS = 1.0


def run(*arguments: str, before: tuple[str, ...] = ()) -> subprocess.CompletedProcess[str]:
    command = [*before, sys.executable, "-X", "utf8", "-c", AUDITED, "check", *arguments]
    environment = {**os.environ, "MLOPS_INFRA_STACKS": str(ROOT / "stacks")}
    return subprocess.run(
        command, capture_output=True, text=True, timeout=60, check=False, env=environment, cwd="/"
    )


@pytest.mark.parametrize("stack", ["onprem-dev", "sandbox", "aws-prod"])
def test_no_socket_is_touched(stack: str) -> None:
    done = run("-s", stack)
    assert done.returncode == 0, done.stderr
    assert "is valid" in done.stdout


def test_mistakes_are_reported_without_a_network_interface(tmp_path: Path) -> None:
    unshare = shutil.which("unshare")
    alone = (unshare or "unshare", "--net", "--map-root-user")
    if unshare is None or subprocess.run([*alone, "true"], check=False).returncode:
        pytest.skip("network namespaces cannot be made here (unshare --net)")
    file = tmp_path / "Pulumi.bad.yaml"
    file.write_text(
        "config:\n"
        "  mlops-infra:profile: onprem\n"
        "  mlops-infra:environment: Sandbox\n"
        "  mlops-infra:cluster: {embeded: true}\n"
        "  mlops-infra:stores:\n"
        "    sql: {engine: postgres}\n"
        "    kv: {size: 5}\n"
        "  mlops-infra:network: {mode: closed}\n"
    )
    done = run("--file", str(file), before=alone)
    assert done.returncode == 2
    for told in (
        f"{file}:3: environment: ",
        f"{file}:4: cluster.embeded: ",
        f"{file}:6: stores.sql.engine: ",
        f"{file}:7: stores.kv.size: ",
        f"{file}:8: network.registry: ",
    ):
        assert told in done.stderr
    assert "did you mean 'embedded'?" in done.stderr
    assert done.stdout == ""


def test_check_is_quick() -> None:
    """In seconds of the processor: the clock would measure what else this machine does."""
    before = os.times()
    assert run("-s", "onprem-closed").returncode == 0
    after = os.times()
    used = after.children_user - before.children_user
    used += after.children_system - before.children_system
    assert used < GOAL_SECONDS
