"""Rules that every rendered object keeps; each returns what breaks it, in words."""

from __future__ import annotations

import re
from collections.abc import Iterator

from tests.charts.rendering import WORKLOADS, Manifest, containers, pods, template

RESTRICTED_VOLUMES = {
    "configMap",
    "downwardAPI",
    "emptyDir",
    "ephemeral",
    "persistentVolumeClaim",
    "projected",
    "secret",
}
"""What Pod Security `restricted` lets a Pod mount."""
COMMON_LABELS = (
    "app.kubernetes.io/name",
    "app.kubernetes.io/managed-by",
    "app.kubernetes.io/part-of",
    "mlops-infra.dev/component",
    "mlops-infra.dev/stack",
)
_POD = {
    "enableServiceLinks": False,
    "hostNetwork": None,
    "hostPID": None,
    "hostIPC": None,
    "shareProcessNamespace": None,
}
_POD_SECURITY = {
    "runAsNonRoot": True,
    # or the kubelet widens the modes of every file at each start
    "fsGroupChangePolicy": "OnRootMismatch",
    "seccompProfile": {"type": "RuntimeDefault"},
}
_CONTAINER_SECURITY = {
    "allowPrivilegeEscalation": False,
    "readOnlyRootFilesystem": True,
    "capabilities": {"drop": ["ALL"]},
    "privileged": None,
    "runAsUser": None,
}
_TLS_NAME = re.compile(r"https|tls|webhook")
"""Names of ports whose server speaks TLS, beside those that the API server calls."""
_SECRET_NAME = re.compile(r"PASSWORD|SECRET|ACCESS_KEY|TOKEN", re.IGNORECASE)


def findings(manifests: list[Manifest]) -> list[str]:
    """Every rule that these manifests break."""
    found = [*_labels(manifests), *_hooks(manifests), *_policies(manifests)]
    accounts = {m["metadata"]["name"] for m in manifests if m["kind"] == "ServiceAccount"}
    allowed = {
        subject["name"]
        for m in manifests
        if m["kind"] in ("ClusterRoleBinding", "RoleBinding")
        for subject in m["subjects"]
        if subject["kind"] == "ServiceAccount"
    }
    called = _called_by_api_server(manifests)
    for name, pod in pods(manifests).items():
        found += [f"{name}: {what}" for what in _pod(pod, accounts)]
        found += [f"{name}: {what}" for what in _token(pod["spec"], allowed)]
        job = name.startswith(("Job/", "CronJob/"))
        for container in containers(pod):
            runs = container in pod["spec"]["containers"] and not job
            found += [f"{name}/{container['name']}: {w}" for w in _container(container)]
            found += [f"{name}/{container['name']}: no {p}" for p in _probes(container) if runs]
            tls = {port for selector, port in called if selects(selector, _labels_of(pod))}
            found += [f"{name}/{container['name']}: {w}" for w in _tls_probes(container, tls)]
    return found


def _labels(manifests: list[Manifest]) -> Iterator[str]:
    for manifest in manifests:
        places = {"": manifest["metadata"]}
        if manifest["kind"] in WORKLOADS:
            places["Pod of "] = template(manifest)["metadata"]
        for claim in (manifest.get("spec") or {}).get("volumeClaimTemplates", []):
            places["volume of "] = claim["metadata"]
            if "app.kubernetes.io/version" in claim["metadata"]["labels"]:
                yield f"volume of {manifest['metadata']['name']}: a label that upgrades change"
        for place, metadata in places.items():
            for label in COMMON_LABELS:
                if label not in metadata.get("labels", {}):
                    yield f"{place}{manifest['kind']}/{manifest['metadata']['name']}: no {label}"


def _hooks(manifests: list[Manifest]) -> Iterator[str]:
    for manifest in manifests:
        if "helm.sh/hook" in manifest["metadata"].get("annotations", {}):
            yield f"{manifest['kind']}/{manifest['metadata']['name']}: helm.v4.Chart drops hooks"


def _policies(manifests: list[Manifest]) -> Iterator[str]:
    policies = [m["spec"] for m in manifests if m["kind"] == "NetworkPolicy"]
    for name, pod in pods(manifests).items():
        chosen = [
            p
            for p in policies
            if selects(p["podSelector"].get("matchLabels", {}), pod["metadata"]["labels"])
        ]
        if not any(set(p["policyTypes"]) == {"Ingress", "Egress"} for p in chosen):
            yield f"{name}: no NetworkPolicy denies the rest in both directions"


def selects(selector: Manifest, labels: Manifest) -> bool:
    """Whether a selector's `matchLabels` choose an object with `labels`."""
    return selector.items() <= labels.items()


def _token(spec: Manifest, allowed: set[str]) -> Iterator[str]:
    """A token of the Kubernetes API only where the chart itself says what it may do with it."""
    mounted = spec.get("automountServiceAccountToken")
    if mounted is None:
        yield "automountServiceAccountToken is left to the ServiceAccount"
    elif mounted and spec.get("serviceAccountName") not in allowed:
        yield "has a token of the API and no binding of a role"


def _pod(pod: Manifest, accounts: set[str]) -> Iterator[str]:
    spec, security = pod["spec"], pod["spec"].get("securityContext", {})
    yield from _differences(spec, _POD)
    yield from _differences(security, _POD_SECURITY)
    for field in ("runAsUser", "runAsGroup", "fsGroup"):
        if not isinstance(security.get(field), int) or security[field] <= 0:
            yield f"{field} is no fixed number above 0"
    if spec.get("serviceAccountName") not in accounts:
        yield "no ServiceAccount of its own"
    for volume in spec.get("volumes", []):
        if not (set(volume) - {"name"}) <= RESTRICTED_VOLUMES:
            yield f"volume {volume['name']} is not allowed"


def _container(container: Manifest) -> Iterator[str]:
    yield from _differences(container.get("securityContext", {}), _CONTAINER_SECURITY)
    for kind in ("requests", "limits"):
        if set(container.get("resources", {}).get(kind, {})) != {"cpu", "memory"}:
            yield f"no {kind} of CPU and memory"
    if any("hostPort" in port for port in container.get("ports", [])):
        yield "takes a port of the node"
    for variable in container.get("env", []):
        if _SECRET_NAME.search(variable["name"]) and "valueFrom" not in variable:
            yield f"{variable['name']} is not taken from a Secret"
    words = " ".join([*container.get("command", []), *container.get("args", [])])
    if "$(" in words:
        yield "a variable is put into its arguments, where process lists show it"


def _differences(found: Manifest, wanted: Manifest) -> Iterator[str]:
    for field, value in wanted.items():
        if found.get(field) != value:
            yield f"{field} is {found.get(field)}, not {value}"


def _probes(container: Manifest) -> Iterator[str]:
    for probe in ("startupProbe", "readinessProbe", "livenessProbe"):
        if probe not in container:
            yield probe


def _labels_of(pod: Manifest) -> Manifest:
    labels: Manifest = pod["metadata"]["labels"]
    return labels


def _called_by_api_server(manifests: list[Manifest]) -> list[tuple[Manifest, int | str]]:
    """Selector and target port of each Service that a webhook names: behind it is TLS."""
    clients = [
        hook["clientConfig"]
        for manifest in manifests
        for hook in (*manifest.get("webhooks", ()), *_conversion(manifest))
    ]
    called = {
        (each["service"]["name"], each["service"].get("port", 443))
        for each in clients
        if "service" in each
    }
    return [
        (service["spec"]["selector"], port.get("targetPort", port["port"]))
        for service in manifests
        if service["kind"] == "Service"
        for port in service["spec"]["ports"]
        if (service["metadata"]["name"], port["port"]) in called
    ]


def _conversion(manifest: Manifest) -> Iterator[Manifest]:
    conversion = (manifest.get("spec") or {}).get("conversion", {})
    if isinstance(conversion, dict) and "webhook" in conversion:
        yield conversion["webhook"]


def _tls_probes(container: Manifest, called: set[int | str]) -> Iterator[str]:
    """A probe that opens a TLS port without TLS: the server logs a failed handshake each time."""
    ports = {p.get("name"): p["containerPort"] for p in container.get("ports", [])}
    tls = {ports.get(port, port) for port in called}
    tls |= {number for name, number in ports.items() if _TLS_NAME.search(name or "")}
    for kind in ("startupProbe", "readinessProbe", "livenessProbe"):
        probe = container.get(kind, {})
        asked = probe.get("httpGet") or probe.get("tcpSocket")
        if not asked or ports.get(asked["port"], asked["port"]) not in tls:
            continue
        if asked.get("scheme") != "HTTPS":
            yield f"{kind} does not speak TLS to port {asked['port']}"
