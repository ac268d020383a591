"""Names for objects whose program gives none, the same after an interrupted run."""

from __future__ import annotations

import secrets
import threading
from typing import Any

from mlops_infra.kubeprovider import managers
from mlops_infra.kubeprovider.cluster import Cluster
from mlops_infra.kubeprovider.objects import AUTONAMED, Object, annotation, metadata, name_of
from mlops_infra.kubeprovider.problems import KindMissingError, ProviderError
from mlops_infra.kubeprovider.values import UNKNOWN

_ENFORCE, _DISABLE = 1, 2
"""Modes of `CheckRequest.AutonamingOptions`."""
_SUFFIX_BYTES = 4


class Autonames:
    """Remembers which resources had a name, so that a replacement gets a fresh one."""

    def __init__(self) -> None:
        self._named: set[str] = set()
        self._lock = threading.Lock()

    def named(
        self, inputs: Object, old: Object, urn: str, options: Any, cluster: Cluster | None
    ) -> Object:
        """Inputs with a name.

        Args:
            inputs: wanted, plain, placed in its namespace.
            old: recorded inputs; empty for a new object and for a replacement.
            urn: of the resource; the name's stem comes from it.
            options: `CheckRequest.autonaming`, or None.
            cluster: None where none can be asked.

        Raises:
            ProviderError: the project forbids automatic names.
        """
        if name_of(inputs) or metadata(inputs).get("generateName"):
            return inputs
        with self._lock:
            is_replacement = urn in self._named and not old
            if old:
                self._named.add(urn)
        if annotation(old, AUTONAMED) and name_of(old):
            return _with_name(inputs, name_of(old))
        if options is not None and options.mode == _DISABLE:
            raise ProviderError("metadata.name is missing, and autonaming is disabled")
        if options is not None and options.mode == _ENFORCE:
            return _with_name(inputs, options.proposed_name)
        if cluster is not None and not is_replacement:
            left = _left_behind(cluster, inputs, managers.derived(urn))
            if left:
                return _with_name(inputs, left)
        stem = urn.rpartition("::")[2].replace("/", "-").replace(":", "-").lower()
        return _with_name(inputs, f"{stem}-{secrets.token_hex(_SUFFIX_BYTES)}")


def _with_name(inputs: Object, name: str) -> Object:
    meta = dict(metadata(inputs))
    notes = meta.get("annotations")
    meta["annotations"] = {**(notes if isinstance(notes, dict) else {}), AUTONAMED: "true"}
    return {**inputs, "metadata": {**meta, "name": name}}


def _left_behind(cluster: Cluster, inputs: Object, manager: str) -> str:
    """Name of the object that a killed run of this resource made but could not record."""
    space = metadata(inputs).get("namespace")
    if space == UNKNOWN:
        return ""
    try:
        path = cluster.kind_of(inputs).path(space)
    except KindMissingError:
        return ""
    for live in cluster.client.get(path)["items"]:
        going = metadata(live).get("deletionTimestamp")
        if managers.owns(live, manager) and annotation(live, AUTONAMED) and not going:
            return name_of(live)
    return ""
