"""Fields that cannot change in place: a change of one replaces the object.

The table is the official provider's (4.32.0), so that both plan the same. One difference: its rule
for DaemonSets never applies, because of the way it spells the kind; the API server refuses that
change, so here it replaces.
"""

from __future__ import annotations

from mlops_infra.kubeprovider.objects import Object
from mlops_infra.kubeprovider.settings import Settings

Path = tuple[str | int, ...]

_ALWAYS = ("metadata.name", "metadata.namespace")

_CONTAINER = (
    "args command env image imagePullPolicy lifecycle livenessProbe ports readinessProbe resources"
    " securityContext stdin stdinOnce terminationMessagePath terminationMessagePolicy tty"
    " volumeDevices volumeMounts workingDir"
)
_POD = (
    "affinity automountServiceAccountToken dnsConfig dnsPolicy enableServiceLinks hostAliases"
    " hostIPC hostNetwork hostPID hostname imagePullSecrets nodeName nodeSelector overhead"
    " preemptionPolicy priority priorityClassName readinessGates restartPolicy runtimeClassName"
    " schedulerName securityContext serviceAccount serviceAccountName shareProcessNamespace"
    " subdomain terminationGracePeriodSeconds volumes"
)
_VOLUME = (
    "awsElasticBlockStore azureDisk azureFile cephfs cinder csi fc flexVolume flocker"
    " gcePersistentDisk glusterfs hostPath iscsi local nfs photonPersistentDisk portworxVolume"
    " quobyte rbd scaleIO storageos vsphereVolume"
)

_TABLE: dict[tuple[str, str], tuple[str, ...]] = {
    ("apps", "DaemonSet"): ("spec.selector",),
    ("apps", "Deployment"): ("spec.selector",),
    ("apps", "StatefulSet"): (
        "spec.podManagementPolicy",
        "spec.revisionHistoryLimit",
        "spec.selector",
        "spec.serviceName",
        "spec.volumeClaimTemplates",
    ),
    ("batch", "Job"): ("spec.completions", "spec.parallelism", "spec.selector", "spec.template"),
    ("", "ConfigMap"): ("binaryData", "data"),
    ("", "PersistentVolume"): tuple(f"spec.{source}" for source in _VOLUME.split()),
    ("", "PersistentVolumeClaim"): ("spec",),
    ("", "Pod"): (
        *(f"spec.{field}" for field in _POD.split()),
        *(
            f"spec.{kind}.*.{f}"
            for kind in ("containers", "initContainers")
            for f in _CONTAINER.split()
        ),
    ),
    ("", "ResourceQuota"): ("spec.scopes",),
    ("", "Secret"): ("type", "stringData", "data"),
    ("", "Service"): ("spec.clusterIP",),
    ("rbac.authorization.k8s.io", "ClusterRoleBinding"): ("roleRef",),
    ("rbac.authorization.k8s.io", "RoleBinding"): ("roleRef",),
    ("storage.k8s.io", "StorageClass"): ("parameters", "provisioner"),
}


def force_new(inputs: Object, settings: Settings) -> list[Path]:
    """Paths (with `*` for any list index) whose change replaces this object."""
    api_version, kind = str(inputs.get("apiVersion", "")), str(inputs.get("kind", ""))
    group = api_version.rpartition("/")[0]
    fields = _TABLE.get((group, kind), ())
    mutable = {"ConfigMap": settings.config_map_mutable, "Secret": settings.secret_mutable}
    if group == "" and mutable.get(kind) and not inputs.get("immutable"):
        fields = tuple(f for f in fields if f not in {"data", "binaryData", "stringData"})
    return [tuple(field.split(".")) for field in (*_ALWAYS, *fields)]


def replaces(path: Path, values: tuple[object, ...], patterns: list[Path]) -> bool:
    """Whether a change at `path` touches a field that cannot change.

    Args:
        path: where the values differ.
        values: the old and the new value there: a whole branch may have come or gone.
        patterns: what `force_new` gave.
    """
    for pattern in patterns:
        shared = min(len(path), len(pattern))
        if not all(_same(a, b) for a, b in zip(path[:shared], pattern[:shared], strict=True)):
            continue
        if len(path) >= len(pattern) or any(_holds(v, pattern[shared:]) for v in values):
            return True
    return False


def _same(part: str | int, pattern: str | int) -> bool:
    return part == pattern or (pattern == "*" and isinstance(part, int))


def _holds(value: object, rest: Path) -> bool:
    if not rest:
        return True
    if isinstance(value, list):
        return rest[0] == "*" and any(_holds(item, rest[1:]) for item in value)
    return isinstance(value, dict) and rest[0] in value and _holds(value[rest[0]], rest[1:])
