"""Opens the Kubernetes client library: by a kubeconfig, or by the account of this Pod."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from mlops_infra.errors import InputError

_DEFAULT = "~/.kube/config, or what $KUBECONFIG names"
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

    Retries of the library's own would multiply every time-out.

    Args:
        kubeconfig: its file; None means the account of this Pod where there is one, otherwise what
            `$KUBECONFIG` names or `~/.kube/config`.
        context: its context; None means the current one.

    Raises:
        InputError: the kubeconfig is missing, damaged, or does not have the context.
    """
    from kubernetes import client, config
    from urllib3 import disable_warnings
    from urllib3.exceptions import InsecureRequestWarning
    from urllib3.util import Retry

    if kubeconfig is not None:
        _looks_like_one(Path(kubeconfig))
    try:
        if kubeconfig is None and in_pod():
            config.load_incluster_config()
            api = client.ApiClient()
        else:
            api = config.new_client_from_config(
                config_file=str(kubeconfig) if kubeconfig else None, context=context
            )
    except (config.ConfigException, OSError, ValueError, TypeError, KeyError) as error:
        # the library checks little: what is wrong inside surfaces as any of these
        raise _unusable(str(kubeconfig or _DEFAULT), str(error)) from error
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


def _looks_like_one(file: Path) -> None:
    try:
        found = yaml.safe_load(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise _unusable(str(file), str(error.strerror)) from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise _unusable(str(file), "it is not YAML") from error
    lists = ("clusters", "contexts", "users")
    if not isinstance(found, dict) or not all(isinstance(found.get(k), list) for k in lists):
        raise _unusable(str(file), f"missing: {', '.join(lists)}")


def _unusable(where: str, reason: str) -> InputError:
    return InputError(
        f"the kubeconfig cannot be used: {reason}",
        where=where,
        hint="set one that works with kubectl: mlops-infra:cluster: {kubeconfig: …, context: …}",
    )
