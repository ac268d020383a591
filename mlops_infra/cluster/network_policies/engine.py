"""Enforces NetworkPolicies on the node: follows the API and the node's records, writes nftables.

Runs in the cluster's own namespaces as long as the cluster does, beside kube-proxy, with its own
rights (it may read Pods, namespaces and policies). While it is away the last rules hold and a new
Pod has no network. Only the standard library, for a small memory footprint.
"""

from __future__ import annotations

import ctypes
import os
import select
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from mlops_infra.cluster.api.client import Api
from mlops_infra.cluster.api.watched_collection import Mirror
from mlops_infra.cluster.network_policies.nftables import table
from mlops_infra.cluster.network_policies.pod_addresses import ADDRESSES, Sandboxes
from mlops_infra.cluster.network_policies.rules import Pod, Walls, walls
from mlops_infra.cluster.node import network
from mlops_infra.cluster.node.configuration import POD_SUBNET

NAME = "network-policies"
"""Of the process, for the supervisor and for reports."""
SOON, CALM = 0.01, 5.0
"""Seconds between two looks: while a new sandbox is not written down yet, and otherwise."""
WITHOUT_NOTIFY = 0.05
"""The same where the kernel tells nothing about files (`fs.inotify.max_user_instances`)."""
PRIORITY = -10
"""Nice value."""

_IN_CLOSE_WRITE, _IN_CREATE, _IN_DELETE = 0x8, 0x100, 0x200
_libc = ctypes.CDLL(None, use_errno=True)

Described = tuple[dict[str, str], tuple[tuple[str, str, int], ...]]
"""Labels and named ports of a Pod."""


def shut(root: Path) -> str:
    """Let no Pod speak until the engine has read the policies; returns why it cannot be, or "".

    Raises:
        OSError: `chroot` could not be started.
    """
    try:
        apply(root, table((), Walls({}, {}), POD_SUBNET))
    except subprocess.CalledProcessError as error:
        reason = error.stderr.strip().splitlines()
        return f"nftables: {reason[0] if reason else 'no reason given'}"
    return ""


def apply(root: Path, text: str) -> None:
    """Give rules to the kernel, all or none. Raises like `network.run_in`."""
    network.run_in(root, "nft", "-f", "-", given=text)


class Engine:
    """Mirrors of the API, records of the node, and the rules that were applied last."""

    def __init__(self, api: Api, root: Path) -> None:
        self.root = root
        self.sandboxes = Sandboxes(root)
        self._applied = ""
        self._wake_end, self._wake = os.pipe()
        os.set_blocking(self._wake, False)
        self._notify = _notify(root / ADDRESSES)
        kinds = "/apis/networking.k8s.io/v1/networkpolicies"
        self.pods = Mirror(api, "/api/v1/pods", _described, changed=self.wake, say=_say)
        self.namespaces = Mirror(
            api, "/api/v1/namespaces", _labels, changed=self.wake, say=_say
        )  # fmt: skip
        self.policies = Mirror(api, kinds, _policy, changed=self.wake, say=_say)

    def wake(self) -> None:
        """Have the loop look again; called from the mirrors' threads."""
        try:
            os.write(self._wake, b"+")
        except BlockingIOError:
            return  # it is told already

    def run(self) -> None:
        """For ever."""
        mirrors: tuple[Mirror[Any], ...] = (self.pods, self.namespaces, self.policies)
        for mirror in mirrors:
            mirror.start()
        while True:
            for mirror in mirrors:
                if not mirror.alive:
                    _say("a thread that follows the API has ended; it is started again")
                    mirror.start()
            if all(mirror.listed for mirror in mirrors):
                self.settle()
            calm = WITHOUT_NOTIFY if self._notify is None else CALM
            self._wait(SOON if self.sandboxes.unknown else calm)

    def settle(self) -> None:
        """Apply the rules for what is known now, if they are others than before."""
        text = self.rules()
        if text == self._applied:
            return
        begun = time.monotonic()
        try:
            apply(self.root, text)
        except subprocess.CalledProcessError as error:
            sys.exit(f"nft refuses the rules, the last ones hold: {error.stderr.strip()}")
        self._applied = text
        _say(f"{len(text.splitlines())} lines of rules in {time.monotonic() - begun:.3f} s")

    def rules(self) -> str:
        """Input for nft from what is known now."""
        described = self.pods.items()
        found = []
        for address, key in self.sandboxes.addresses().items():
            # a Pod that the API has forgotten is on its way out: without labels, all else refused
            if key in described:
                namespace, _, name = key.partition("/")
                labels, ports = described[key]
                found.append(Pod(namespace, name, address, labels, ports))
        namespaces = {key.removeprefix("/"): it for key, it in self.namespaces.items().items()}
        rules = _walls(found, namespaces, self.policies.items())
        return table((pod.address for pod in found), rules, POD_SUBNET)

    def _wait(self, patience: float) -> None:
        watched = [self._wake_end, *([] if self._notify is None else [self._notify])]
        ready, _, _ = select.select(watched, [], [], patience)
        for descriptor in ready:
            os.read(descriptor, 65536)


def _walls(
    pods: Sequence[Pod],
    namespaces: Mapping[str, Mapping[str, str]],
    policies: Mapping[str, Mapping[str, Any]],
) -> Walls:
    """The rules; a policy that cannot be read shuts its own namespace, and stops no other one."""
    try:
        return walls(pods, namespaces, policies.values())
    except Exception:  # noqa: BLE001 - the policy at fault is found and shut below
        sound = [_sound(key, each, pods, namespaces) for key, each in policies.items()]
        return walls(pods, namespaces, sound)


def _sound(
    key: str,
    policy: Mapping[str, Any],
    pods: Sequence[Pod],
    namespaces: Mapping[str, Mapping[str, str]],
) -> Mapping[str, Any]:
    try:
        walls(pods, namespaces, [policy])
    except Exception as error:  # noqa: BLE001 - it costs this policy alone
        _say(f"policy {key} cannot be read, nothing reaches its namespace: {error!r}")
        return {**policy, "spec": {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}}
    return policy


def _notify(folder: Path) -> int | None:
    """A descriptor that can be read when a file in `folder` comes or goes; see inotify(7).

    None where this user has no watch left: other programs took them all.
    """
    folder.mkdir(parents=True, exist_ok=True)
    descriptor: int = _libc.inotify_init1(os.O_CLOEXEC)
    if descriptor >= 0:
        events = _IN_CLOSE_WRITE | _IN_CREATE | _IN_DELETE
        if _libc.inotify_add_watch(descriptor, os.fsencode(folder), events) >= 0:
            return descriptor
        os.close(descriptor)
    _say(f"looking every {WITHOUT_NOTIFY} s: inotify: {os.strerror(ctypes.get_errno())}")
    return None


def _described(pod: Mapping[str, Any]) -> Described:
    spec = pod["spec"]
    containers = [*spec["containers"], *(spec.get("initContainers") or ())]
    ports = tuple(
        (port["name"], port.get("protocol", "TCP"), int(port["containerPort"]))
        for container in containers
        for port in container.get("ports") or ()
        if port.get("name")
    )
    return _labels(pod), ports


def _labels(item: Mapping[str, Any]) -> dict[str, str]:
    return dict(item["metadata"].get("labels") or {})


def _policy(item: Mapping[str, Any]) -> dict[str, Any]:
    return {"metadata": {"namespace": item["metadata"]["namespace"]}, "spec": item["spec"]}


def _say(text: str) -> None:
    sys.stderr.write(f"{time.strftime('%Y-%m-%dT%H:%M:%SZ', time.gmtime())} {text}\n")


def main(kubeconfig: str, root: str) -> None:
    """Serve until killed."""
    # every new Pod waits for it, on a busy machine too
    with suppress(PermissionError):
        os.setpriority(os.PRIO_PROCESS, 0, PRIORITY)
    Engine(Api(Path(kubeconfig)), Path(root)).run()
