"""PersistentVolumeClaims: which are waited for, and why one is not bound."""

from __future__ import annotations

from mlops_infra.kube.objects import Object, name_of, namespace_of
from mlops_infra.kube.reading import Reader, warnings
from mlops_infra.kube.verdict import READY, Trouble, Verdict, failed, waiting

_CLASSES = "/apis/storage.k8s.io/v1/storageclasses"
_CLASS_GRACE = 5.0
"""The class may be part of the same update."""
_NO_CLASS_GRACE = 20.0
_PROVISION_GRACE = 60.0


def claim_verdict(reader: Reader, claim: Object) -> Verdict:
    """Bound; a claim that waits for its first Pod is ready as it is, since that Pod may be next."""
    phase = (claim.get("status") or {}).get("phase")
    if phase == "Bound":
        return READY
    if phase == "Lost":
        return failed("its volume is lost")
    spec = claim.get("spec") or {}
    class_name = spec.get("storageClassName")
    if class_name and not spec.get("volumeName"):
        storage_class = reader.find(f"{_CLASSES}/{class_name}")
        if storage_class is None:
            return waiting("not bound", _missing_class(reader, class_name))
        if storage_class.get("volumeBindingMode") == "WaitForFirstConsumer":
            return READY
    return waiting("not bound", *_from_events(reader, claim))


def claim_troubles(reader: Reader, pod: Object) -> list[Trouble]:
    """Why the volumes of a Pod that cannot be scheduled are not there."""
    space = namespace_of(pod)
    found: list[Trouble] = []
    for volume in (pod.get("spec") or {}).get("volumes") or []:
        name = (volume.get("persistentVolumeClaim") or {}).get("claimName")
        if not name:
            continue
        path = f"/api/v1/namespaces/{space}/persistentvolumeclaims/{name}"
        claim = reader.find(path)
        if claim is None:
            text = f"PersistentVolumeClaim {space}/{name} does not exist"
            found.append(Trouble(f"claim/{name}", text, _NO_CLASS_GRACE))
            continue
        found.extend(
            Trouble(t.key, f"PersistentVolumeClaim {space}/{name}: {t.message}", t.grace)
            for t in claim_verdict(reader, claim).troubles
        )
    return found


def _missing_class(reader: Reader, name: str) -> Trouble:
    known = [name_of(item) for item in reader.get(_CLASSES)["items"]]
    text = f"StorageClass '{name}' does not exist (the cluster has: {', '.join(known) or 'none'})"
    return Trouble(f"class/{name}", text, _CLASS_GRACE, reason="NoStorageClass")


def _from_events(reader: Reader, claim: Object) -> list[Trouble]:
    events = warnings(reader, claim)
    if not (claim.get("spec") or {}).get("storageClassName") and not _has_classes(reader):
        text = "it has no StorageClass and the cluster has no default"
        return [Trouble("class", text, _NO_CLASS_GRACE, reason="NoStorageClass")]
    return [
        Trouble("provision", f"{event.get('reason')}: {event.get('message')}", _PROVISION_GRACE)
        for event in events[:1]
    ]


def _has_classes(reader: Reader) -> bool:
    return bool(reader.get(_CLASSES)["items"])
