"""The process that keeps a cluster running: process 1 of the cluster's own namespace.

It sets up the node (mounts, network), starts what `supervisor.json` lists as soon as what each
process needs answers, restarts what ends, reaps orphans (containers' shims become its children),
bounds the logs and writes `state.json`. SIGTERM stops everything in order. When it is killed, the
kernel kills all the rest with it. Only the standard library, for a small memory footprint.
"""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from mlops_infra.cluster.instance import logs, state
from mlops_infra.cluster.instance.layout import Layout
from mlops_infra.cluster.network_policies import engine as policy_engine
from mlops_infra.cluster.node import network, rootfs
from mlops_infra.cluster.supervision import stopping
from mlops_infra.cluster.supervision.probes import passes
from mlops_infra.cluster.supervision.process import ProcessSpec, SupervisedProcess

TICK = 0.1
"""Seconds between two looks while something is still waiting to be started."""
CALM = 1.0
"""Seconds between two looks once everything runs; an ending process wakes the loop at once."""
ROTATE_EVERY = 10.0
NO_BRIDGE = "packets between Pods pass no firewall (br_netfilter is not loaded)"


class Supervisor:
    """The loop and what it knows."""

    def __init__(self, layout: Layout, plan: dict[str, Any]) -> None:
        self.layout = layout
        self.plan = plan
        self.root: Path | None = None
        self.space: int | None = None
        self.children: list[SupervisedProcess] = []
        self.facts: dict[str, Any] = {}
        self.phase = "preparing"
        self.error = ""
        self._written = ""
        self._rotated = 0.0

    def prepare(self) -> None:
        """Node: mounts, host name, network. Then the list of children."""
        node = self.plan.get("node")
        if node is not None:
            socket.sethostname(node["root"]["hostname"])
            self.root = rootfs.assemble(
                self.layout, rootfs.Root(**{**node["root"], "image": Path(node["root"]["image"])})
            )
            self.space = self.facts["space"] = rootfs.enclose(self.root)
            self.phase = "joining"
            self.write()
            network.configure_inside(self.root, slot=node["slot"])
            self.facts["iptables"] = rootfs.choose_iptables(self.root)
            self.facts["bridgeNetfilter"] = network.sysctls(self.root / "proc")
            self.facts["policies"] = (
                policy_engine.shut(self.root) if self.facts["bridgeNetfilter"] else NO_BRIDGE
            )
        self.adopt(self.plan)

    def adopt(self, plan: dict[str, Any]) -> None:
        """Take up the children of `plan` that are not there yet."""
        known = {child.spec.name for child in self.children}
        specs = [ProcessSpec.from_dict(found) for found in plan["children"]]
        if self.facts.get("policies"):
            specs = [spec for spec in specs if spec.name != policy_engine.NAME]
        self.children += [self._child(spec) for spec in specs if spec.name not in known]

    def _child(self, spec: ProcessSpec) -> SupervisedProcess:
        if spec.name == "kube-proxy" and not self.facts.get("bridgeNetfilter", True):
            # Pods of one bridge would answer each other past conntrack: route answers back instead
            spec = ProcessSpec(**{**spec.as_dict(), "argv": (*spec.argv, "--masquerade-all")})
        return SupervisedProcess(spec, self.layout.log(spec.name), self.space)

    def run(self) -> None:
        """Until SIGTERM; SIGHUP: the plan has more children now."""
        self.phase = "running"
        while True:
            self._start_due()
            self.write()
            if time.monotonic() - self._rotated > ROTATE_EVERY:
                self._rotated = time.monotonic()
                self._rotate()
            waiting = any(child.pid is None for child in self.children)
            got = signal.sigtimedwait(
                {signal.SIGCHLD, signal.SIGTERM, signal.SIGINT, signal.SIGHUP},
                TICK if waiting else CALM,
            )
            self.reap()
            if got is not None and got.si_signo == signal.SIGHUP:
                self._adopt_again()
            if got is not None and got.si_signo in {signal.SIGTERM, signal.SIGINT}:
                return

    def _start_due(self) -> None:
        passed: dict[str, bool] = {}
        ca = self.layout.pki / "ca.crt"
        for child in self.children:
            if not child.due:
                continue
            for probe in child.spec.needs:
                if probe not in passed:
                    passed[probe] = passes(probe, ca=ca, root=self.root)
            if all(passed[probe] for probe in child.spec.needs):
                self._start(child)

    def _start(self, child: SupervisedProcess) -> None:
        try:
            child.start()
        except OSError as error:  # no process or no file to be had now: the others run on
            child.failed(str(error))
            sys.stderr.write(f"{child.spec.name} not started: {error}\n")

    def _rotate(self) -> None:
        try:
            logs.rotate(self.layout.logs)
        except OSError as error:  # a full disk must not stop a running cluster
            sys.stderr.write(f"logs not rotated: {error}\n")

    def _adopt_again(self) -> None:
        try:
            self.adopt(state.read(self.layout.plan) or self.plan)
        except (OSError, ValueError, KeyError, TypeError) as error:
            sys.stderr.write(f"{self.layout.plan} cannot be read, nothing changes: {error!r}\n")

    def reap(self) -> None:
        """Take note of every ended process, ours or an orphan."""
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if pid == 0:
                return
            for child in self.children:
                if child.pid == pid:
                    child.ended(status)

    def write(self) -> None:
        """The state file, only when something changed."""
        value = {
            "phase": self.phase,
            "error": self.error,
            "facts": self.facts,
            "processes": [child.report().as_dict() for child in self.children],
        }
        if repr(value) != self._written:
            try:
                state.write(self.layout.state, value)
            except OSError as error:  # a full disk must not stop a running cluster
                sys.stderr.write(f"state not written: {error}\n")
                return
            self._written = repr(value)


def main(folder: str, name: str) -> None:
    """Run the cluster `name` in `folder` until it is told to stop."""
    layout = Layout(name, Path(folder))
    alive = state.hold(layout.alive)
    signal.pthread_sigmask(
        signal.SIG_BLOCK, {signal.SIGCHLD, signal.SIGTERM, signal.SIGINT, signal.SIGHUP}
    )
    plan = state.read(layout.plan)
    if plan is None:
        sys.exit(f"{layout.plan} is missing or broken")
    supervisor = Supervisor(layout, plan)
    try:
        supervisor.prepare()
        supervisor.run()
    except (OSError, subprocess.CalledProcessError) as error:
        detail = getattr(error, "stderr", None)
        supervisor.phase = "failed"
        supervisor.error = f"{error}: {detail.strip()}" if detail else str(error)
        sys.stderr.write(f"{supervisor.error}\n")
        supervisor.write()
    else:
        supervisor.phase = "stopping"
        supervisor.write()
        stopping.stop_all(supervisor)
        supervisor.phase = "stopped"
        supervisor.write()
    os.close(alive)
