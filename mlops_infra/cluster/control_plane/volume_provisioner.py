"""Volumes for claims of the class `local-path`: a folder and a PersistentVolume of type `local`.

`local`, not `hostPath`, because the kubelet applies fsGroup to it. Runs beside the control plane as
its own process with its own rights; only the standard library, for a small memory footprint.
"""

from __future__ import annotations

import shutil
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from mlops_infra import contract
from mlops_infra.cluster.api.client import Api, ApiError
from mlops_infra.cluster.control_plane.processes import DRIVER

LOOK_SECONDS = 5.0
Act = Callable[[dict[str, Any]], None]

SELECTED_NODE = "volume.kubernetes.io/selected-node"
"""Set by the scheduler on a claim that waits for its first consumer."""
HOSTNAME = "kubernetes.io/hostname"
CLAIMS = "/api/v1/persistentvolumeclaims"
VOLUMES = "/api/v1/persistentvolumes"
CLASSES = "/apis/storage.k8s.io/v1/storageclasses"


class Provisioner:
    """Two loops: claims that want a volume, volumes that are to go."""

    def __init__(self, api: Api, folder: Path, shown: str) -> None:
        """`folder` is where volumes lie for us, `shown` where the node's processes see them."""
        self.api = api
        self.folder = folder
        self.shown = shown

    def claim(self, claim: dict[str, Any]) -> None:
        """Make the volume that a pending claim of ours asks for; nothing for any other claim."""
        meta, spec = claim["metadata"], claim["spec"]
        node = meta.get("annotations", {}).get(SELECTED_NODE)
        if claim.get("status", {}).get("phase") != "Pending" or not node or spec.get("volumeName"):
            return
        if meta.get("deletionTimestamp") or not spec.get("storageClassName"):
            return
        kind = self.api.get(f"{CLASSES}/{spec['storageClassName']}")
        if kind.get("provisioner") != DRIVER:
            return
        volume = volume_for(claim, kind, node=node, shown=self.shown)
        folder = self.folder / volume["metadata"]["name"]
        folder.mkdir(parents=True, exist_ok=True)
        # any user of a Pod may write: fsGroup narrows it where it is set
        folder.chmod(0o777)
        try:
            self.api.create(VOLUMES, volume)
        except ApiError as error:
            if error.status != 409:
                raise
        _say(f"volume {volume['metadata']['name']} for {meta['namespace']}/{meta['name']}")

    def volume(self, volume: dict[str, Any]) -> None:
        """Remove the folder and the object of a released volume of ours, unless it is retained."""
        meta, spec = volume["metadata"], volume["spec"]
        if meta.get("annotations", {}).get("pv.kubernetes.io/provisioned-by") != DRIVER:
            return
        if volume.get("status", {}).get("phase") != "Released":
            return
        if spec.get("persistentVolumeReclaimPolicy") != "Delete":
            return
        folder = self.folder / Path(spec["local"]["path"]).name
        if folder.exists():
            shutil.rmtree(folder)
        self.api.delete(f"{VOLUMES}/{meta['name']}")
        _say(f"volume {meta['name']} removed")

    def follow(self, path: str, act: Act) -> None:
        """List, then watch, for ever; whatever went wrong is tried again from a fresh list."""
        while True:
            try:
                listed = self.api.get(path)
                failed = [item for item in listed["items"] if not self._done(act, item)]
                if not failed:
                    self._watch(path, listed["metadata"]["resourceVersion"], act)
                    continue
            except ApiError as error:
                if error.status != 410:  # 410: the version is too old for a watch, list again
                    _say(f"{path}: {error}")
            except Exception as error:  # noqa: BLE001 - what is not followed is never served again
                _say(f"{path}: {error!r}")
            time.sleep(1)

    def _watch(self, path: str, version: str, act: Act) -> None:
        for event in self.api.watch(path, version):
            if event["type"] in {"ADDED", "MODIFIED"} and not self._done(act, event["object"]):
                time.sleep(1)
                return

    @staticmethod
    def _done(act: Act, item: dict[str, Any]) -> bool:
        try:
            act(item)
        except (OSError, ApiError) as error:
            # a full disk, say: the claim stays Pending, which its owner sees
            _say(f"{item['metadata']['name']}: {error}")
            return False
        except Exception as error:  # noqa: BLE001 - it costs this object alone
            _say(f"{item['metadata']['name']}: {error!r}")
            return False
        return True


def volume_for(
    claim: dict[str, Any], kind: dict[str, Any], *, node: str, shown: str
) -> dict[str, Any]:
    """The PersistentVolume for `claim`; pure."""
    meta, spec = claim["metadata"], claim["spec"]
    name = f"pvc-{meta['uid']}"
    term = {"key": HOSTNAME, "operator": "In", "values": [node]}
    return {
        "apiVersion": "v1",
        "kind": "PersistentVolume",
        "metadata": {
            "name": name,
            "labels": {contract.MANAGED_BY_LABEL: "mlops-infra"},
            "annotations": {"pv.kubernetes.io/provisioned-by": DRIVER},
        },
        "spec": {
            "capacity": {"storage": spec["resources"]["requests"]["storage"]},
            "accessModes": spec["accessModes"],
            "volumeMode": "Filesystem",
            "persistentVolumeReclaimPolicy": kind.get("reclaimPolicy", "Delete"),
            "storageClassName": spec["storageClassName"],
            "local": {"path": f"{shown}/{name}"},
            "claimRef": {
                "apiVersion": "v1",
                "kind": "PersistentVolumeClaim",
                "namespace": meta["namespace"],
                "name": meta["name"],
                "uid": meta["uid"],
            },
            "nodeAffinity": {"required": {"nodeSelectorTerms": [{"matchExpressions": [term]}]}},
        },
    }


def _say(text: str) -> None:
    sys.stderr.write(f"{time.strftime('%Y-%m-%dT%H:%M:%SZ', time.gmtime())} {text}\n")


def main(kubeconfig: str, folder: str, shown: str) -> None:
    """Serve until killed."""
    provisioner = Provisioner(Api(Path(kubeconfig)), Path(folder), shown)
    followed: tuple[tuple[str, Act], ...] = (
        (CLAIMS, provisioner.claim),
        (VOLUMES, provisioner.volume),
    )
    loops = [threading.Thread(target=provisioner.follow, args=one, daemon=True) for one in followed]
    for loop in loops:
        loop.start()
    while all(loop.is_alive() for loop in loops):
        loops[0].join(LOOK_SECONDS)
    sys.exit("a loop has ended: the supervisor starts this process again")
