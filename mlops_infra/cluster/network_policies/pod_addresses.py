"""Which Pod has which address, from the node's own records.

The API learns a Pod's address a second or more after its containers run. The node knows it before
they start: the CNI plugin `host-local` writes one file an address with the sandbox's id, containerd
writes the sandbox's OCI configuration with the Pod's name. (Seen with containerd 1.7 and 2.x paths,
host-local 1.8.)
"""

from __future__ import annotations

import ipaddress
import json
from dataclasses import dataclass, field
from pathlib import Path

NETWORK = "mlops-infra"
"""Name of the network in the CNI configuration, which host-local calls its folder by."""
ADDRESSES = f"run/cni/networks/{NETWORK}"
TASKS = "run/containerd/io.containerd.runtime.v2.task/k8s.io"
_NAME = "io.kubernetes.cri.sandbox-name"
_NAMESPACE = "io.kubernetes.cri.sandbox-namespace"


@dataclass(slots=True)
class Sandboxes:
    """Reads the records under `root`, the node's root as this process sees it."""

    root: Path
    _known: dict[str, tuple[str, str]] = field(default_factory=dict)
    """Address -> sandbox id and `namespace/name`."""
    unknown: tuple[str, ...] = ()
    """Addresses given out to sandboxes that containerd has not written down yet."""

    def addresses(self) -> dict[str, str]:
        """Address -> `namespace/name` of the Pod that has it now; updates `unknown`."""
        there = self._given()
        self._known = {
            address: known
            for address, known in self._known.items()
            if there.get(address) == known[0]
        }
        unknown = []
        for address, sandbox in there.items():
            if address in self._known:
                continue
            if pod := self._pod(sandbox):
                self._known[address] = (sandbox, pod)
            else:
                unknown.append(address)
        self.unknown = tuple(unknown)
        return {address: pod for address, (_, pod) in self._known.items()}

    def _given(self) -> dict[str, str]:
        found = {}
        for file in (self.root / ADDRESSES).glob("*.*.*.*"):
            try:
                ipaddress.IPv4Address(file.name)
                found[file.name] = file.read_text(encoding="ascii").split()[0]
            except (ValueError, IndexError, FileNotFoundError):
                continue  # `last_reserved_ip.0`, a file being written, an address given back
        return found

    def _pod(self, sandbox: str) -> str | None:
        file = self.root / TASKS / sandbox / "config.json"
        try:
            notes = json.loads(file.read_text(encoding="utf-8")).get("annotations", {})
        except (FileNotFoundError, NotADirectoryError, json.JSONDecodeError):
            return None
        if _NAME not in notes or _NAMESPACE not in notes:
            return None
        return f"{notes[_NAMESPACE]}/{notes[_NAME]}"
