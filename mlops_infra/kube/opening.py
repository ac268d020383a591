"""Opens the Kubernetes client library: by a kubeconfig, or by the account of this Pod."""

from __future__ import annotations

import atexit
import ipaddress
import os
import shutil
import tempfile
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from mlops_infra.kube import kubeconfig as kubeconfigs
from mlops_infra.kube.credentials import Plugin, decoded, token_of
from mlops_infra.kube.kubeconfig import Access, unusable

_ACCOUNT = Path("/var/run/secrets/kubernetes.io/serviceaccount/token")
_BUSY = 429
"""The API server takes no more requests for now, or begins to serve a kind that is a second old."""
_TRIES = 30
"""It asks for one second before each."""


def in_pod() -> bool:
    """Whether this process runs in a Pod that has an account of its own."""
    return _ACCOUNT.exists()


def open_client(kubeconfig: Path | str | None, context: str | None = None) -> Any:
    """An `ApiClient` that asks again only where the server says so.

    Retries of the library's own would multiply every time-out. Kubeconfigs are read here and not by
    the library, which ignores much of what kubectl honours.

    Args:
        kubeconfig: its file; None means what `$KUBECONFIG` names, else the account of this Pod
            where there is one, else `~/.kube/config`.
        context: its context; None means the current one.

    Raises:
        InputError: the kubeconfig is missing, damaged, does not have the context, asks for
            something that is not supported, or its credential plugin fails.
    """
    from kubernetes import client, config
    from urllib3 import disable_warnings
    from urllib3.exceptions import InsecureRequestWarning
    from urllib3.util import Retry

    if kubeconfig is None and in_pod() and not os.environ.get(kubeconfigs.VARIABLE):
        try:
            config.load_incluster_config()
        except config.ConfigException as error:
            raise unusable(str(_ACCOUNT.parent), str(error)) from error
        api = client.ApiClient()
    else:
        api = _client(kubeconfigs.read(kubeconfig, context))
    if not api.configuration.verify_ssl:
        # as the kubeconfig asks (`insecure-skip-tls-verify`); a warning a request would be noise
        disable_warnings(InsecureRequestWarning)
    api.rest_client.pool_manager.connection_pool_kw["retries"] = Retry(
        total=None,
        connect=0,
        read=0,
        redirect=0,
        other=0,
        status=_TRIES,
        status_forcelist={_BUSY},
        allowed_methods=None,
        backoff_factor=0.2,
        backoff_max=1,
        raise_on_status=False,
    )
    return api


def _client(access: Access) -> Any:
    from kubernetes import client

    settings = type.__call__(client.Configuration)  # not the process' default one
    cluster, user = access.cluster, access.user
    plugin = Plugin(access) if user.get("exec") else None
    token = token_of(access, plugin)
    settings.host = _server(cluster)
    settings.verify_ssl = not cluster.get("insecure-skip-tls-verify")
    settings.tls_server_name = cluster.get("tls-server-name") or None
    settings.ssl_ca_cert = _file(access, cluster, "certificate-authority")
    settings.cert_file = _file(access, user, "client-certificate")
    settings.key_file = _file(access, user, "client-key")
    if token is not None:
        # asked for before each request: files change, and what plugins give ends
        settings.refresh_api_key_hook = lambda these: these.api_key.update(BearerToken=token())
        settings.api_key["BearerToken"] = token()
    if plugin is not None and plugin.status().get("clientCertificateData"):
        settings.cert_file = _kept(plugin.status()["clientCertificateData"].encode())
        settings.key_file = _kept(plugin.status()["clientKeyData"].encode())
    _set_proxy(settings, cluster)
    try:
        return client.ApiClient(configuration=settings)
    except (OSError, ValueError) as error:
        raise unusable(access.where, str(error)) from error


def _server(cluster: Any) -> str:
    """With a scheme: kubectl takes https where anything speaks of TLS."""
    server = str(cluster["server"]).rstrip("/")
    if "://" in server:
        return server
    tls = ("certificate-authority", "certificate-authority-data", "insecure-skip-tls-verify")
    return f"{'https' if any(cluster.get(key) for key in tls) else 'http'}://{server}"


def _set_proxy(settings: Any, cluster: Any) -> None:
    """`proxy-url` counts whatever NO_PROXY says; the environment never counts for this machine."""
    from urllib3.util import make_headers

    named = cluster.get("proxy-url")
    if named:
        settings.proxy, settings.no_proxy = str(named), ""
    elif _is_local(urlsplit(settings.host).hostname or ""):
        settings.proxy = None
    parts = urlsplit(settings.proxy or "")
    if parts.username:
        pair = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
        settings.proxy_headers = make_headers(proxy_basic_auth=pair)


def _is_local(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _file(access: Access, body: Any, key: str) -> str | None:
    """The file of a key; what stands in the kubeconfig itself counts before a path."""
    data = body.get(f"{key}-data")
    if data:
        return _kept(decoded(access, f"{key}-data", data))
    if not body.get(key):
        return None
    path = Path(str(body[key]))
    if not path.is_file():
        raise unusable(access.where, f"{key}: no such file: {path}")
    return str(path)


_folder: str | None = None
"""Private folder of this process for certificates that the library wants as files."""


def _kept(content: bytes) -> str:
    global _folder
    if _folder is None:
        _folder = tempfile.mkdtemp(prefix="mlops-infra-")
        atexit.register(shutil.rmtree, _folder, ignore_errors=True)
    handle, name = tempfile.mkstemp(dir=_folder)
    with os.fdopen(handle, "wb") as file:
        file.write(content)
    return name
