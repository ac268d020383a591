"""From a kubeconfig (path or content), or a Pod's own account, to the facts of a connection."""

from __future__ import annotations

import base64
import json
import os
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from mlops_infra.kubeprovider.problems import ProviderError
from mlops_infra.kubeprovider.settings import Settings

_ACCOUNT = Path("/var/run/secrets/kubernetes.io/serviceaccount")
_EXEC_SECONDS = 60

Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


@dataclass(frozen=True, slots=True, repr=False)
class Access:
    """Where the API server is and how to prove who we are; never shown, it holds credentials."""

    server: str
    ca: str | None = None
    """PEM text; None means the machine's own authorities."""
    verify: bool = True
    server_name: str | None = None
    token: str | None = None
    basic: str | None = None
    """`user:password`."""
    certificate: str | None = None
    key: str | None = None
    """PEM texts of the client's pair."""
    namespace: str | None = None


def read_access(settings: Settings) -> Access:
    """Resolve the settings to one cluster and one user.

    Raises:
        ProviderError: there is no usable kubeconfig, or it lacks the context.
    """
    document, base = _document(settings)
    if document is None:
        return _own_account()
    return _resolve(document, settings, base)


def server_of(settings: Settings) -> str | None:
    """The API server's address for comparing two configurations; None where it cannot be told."""
    try:
        return read_access(settings).server
    except ProviderError:
        return None


def _document(settings: Settings) -> tuple[dict[str, Any] | None, Path]:
    given = settings.kubeconfig
    if given and _is_content(given):
        return _parse(given, "the provider's kubeconfig"), Path.cwd()
    paths = [given] if given else os.environ.get("KUBECONFIG", "").split(os.pathsep)
    files = [Path(p).expanduser() for p in paths if p]
    if not files:
        home = Path.home() / ".kube" / "config"
        if not home.exists() and (_ACCOUNT / "token").exists():
            return None, home.parent
        files = [home]
    present = [file for file in files if file.exists()]
    if not present:
        raise ProviderError(f"kubeconfig {files[0]} does not exist")
    merged: dict[str, Any] = {}
    for file in present:
        _merge(merged, _parse(file.read_text(encoding="utf-8"), str(file)))
    return merged, present[0].parent


def _is_content(text: str) -> bool:
    return "\n" in text.strip() or text.lstrip().startswith("{")


def _parse(text: str, where: str) -> dict[str, Any]:
    try:
        # a kubeconfig in JSON is YAML too
        document = yaml.load(text, Loader)  # noqa: S506  a safe loader in either case
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = f", line {mark.line + 1}" if mark else ""
        # the parser's own text would show a piece of the file, credentials included
        raise ProviderError(f"{where} is not YAML{line}") from None
    if not isinstance(document, dict) or "clusters" not in document:
        raise ProviderError(f"{where} is not a kubeconfig: it has no clusters")
    return document


def _merge(into: dict[str, Any], more: dict[str, Any]) -> None:
    """The first file that sets a value wins, as kubectl does it."""
    for key, value in more.items():
        if isinstance(value, list):
            into.setdefault(key, []).extend(value)
        else:
            into[key] = into.get(key) or value


def _named(document: dict[str, Any], section: str, name: str | None, what: str) -> dict[str, Any]:
    entries = document.get(section) or []
    for entry in entries:
        if entry.get("name") == name:
            inner = entry.get(what)
            return inner if isinstance(inner, dict) else {}
    known = ", ".join(sorted(str(entry.get("name")) for entry in entries)) or "none"
    raise ProviderError(f"the kubeconfig has no {what} '{name}' (it has: {known})")


def _resolve(document: dict[str, Any], settings: Settings, base: Path) -> Access:
    wanted = settings.context or document.get("current-context")
    context = _named(document, "contexts", wanted, "context")
    cluster_name = settings.cluster or context.get("cluster")
    cluster = _named(document, "clusters", cluster_name, "cluster")
    user = _named(document, "users", context["user"], "user") if context.get("user") else {}
    if "exec" in user:
        user = {**user, **_run_exec(user["exec"], base)}
    basic = f"{user['username']}:{user.get('password', '')}" if user.get("username") else None
    return Access(
        server=str(cluster.get("server", "")).rstrip("/"),
        ca=_material(cluster, "certificate-authority", base),
        verify=not cluster.get("insecure-skip-tls-verify", False),
        server_name=cluster.get("tls-server-name"),
        token=user.get("token") or _token_file(user.get("tokenFile"), base),
        basic=basic,
        certificate=_material(user, "client-certificate", base),
        key=_material(user, "client-key", base),
        namespace=context.get("namespace"),
    )


def _material(entry: dict[str, Any], key: str, base: Path) -> str | None:
    if entry.get(f"{key}-data"):
        return base64.b64decode(entry[f"{key}-data"]).decode()
    if entry.get(key):
        return _read(base / str(entry[key]))
    return None


def _token_file(path: str | None, base: Path) -> str | None:
    return _read(base / path).strip() if path else None


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except OSError as error:
        raise ProviderError(f"the kubeconfig names {path}: {error.strerror}") from error


def _run_exec(spec: dict[str, Any], base: Path) -> dict[str, Any]:
    """Run a credential plugin (client.authentication.k8s.io) and return it as a user's entry."""
    extra = {item["name"]: item["value"] for item in spec.get("env") or []}
    info: dict[str, Any] = {
        "apiVersion": spec.get("apiVersion"),
        "kind": "ExecCredential",
        "spec": {},
    }
    environment = {**os.environ, **extra, "KUBERNETES_EXEC_INFO": json.dumps(info)}
    command = str(spec["command"])
    if "/" in command:
        command = str(base / command)
    try:
        done = subprocess.run(
            [command, *(spec.get("args") or [])],
            env=environment,
            capture_output=True,
            timeout=_EXEC_SECONDS,
            check=True,
        )
        status = json.loads(done.stdout)["status"]
    except subprocess.CalledProcessError as error:
        said = error.stderr.decode(errors="replace").strip().splitlines()[-1:]
        raise ProviderError(f"credential command {command} failed: {''.join(said)}") from error
    except (OSError, subprocess.TimeoutExpired, ValueError, KeyError) as error:
        raise ProviderError(f"credential command {command}: {type(error).__name__}") from error
    pair = {
        "client-certificate-data": status.get("clientCertificateData"),
        "client-key-data": status.get("clientKeyData"),
    }
    encoded = {k: base64.b64encode(v.encode()).decode() for k, v in pair.items() if v}
    return {**encoded, **({"token": status["token"]} if status.get("token") else {})}


def _own_account() -> Access:
    host = os.environ.get("KUBERNETES_SERVICE_HOST", "kubernetes.default.svc")
    port = os.environ.get("KUBERNETES_SERVICE_PORT", "443")
    return Access(
        server=f"https://[{host}]:{port}" if ":" in host else f"https://{host}:{port}",
        ca=_read(_ACCOUNT / "ca.crt"),
        token=_read(_ACCOUNT / "token").strip(),
        namespace=_read(_ACCOUNT / "namespace").strip(),
    )
