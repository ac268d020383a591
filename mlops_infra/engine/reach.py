"""Asks somebody else's cluster one short question before anything is prepared for it."""

from __future__ import annotations

from pathlib import Path

from mlops_infra.engine.record import StackRecord
from mlops_infra.errors import OperationFailed

TIMEOUT = 10
"""Seconds. Pulumi's provider would go on trying for minutes."""


def check(record: StackRecord) -> str:
    """The cluster's Kubernetes version.

    Raises:
        OperationFailed: it cannot be reached, refuses us, or the kubeconfig is wrong.
    """
    import urllib3
    from kubernetes import client, config

    path, context = record.kubeconfig, record.context
    shown = path or str(Path.home() / ".kube" / "config")
    try:
        api = config.new_client_from_config(config_file=path, context=context)
        return str(
            client.VersionApi(_impatient(api)).get_code(_request_timeout=TIMEOUT).git_version
        )
    except (config.ConfigException, OSError) as error:
        raise OperationFailed(
            f"the kubeconfig cannot be used: {error}",
            where=shown,
            hint="set mlops-infra:cluster: {kubeconfig: …, context: …}",
        ) from error
    except (client.ApiException, urllib3.exceptions.HTTPError) as error:
        reason = getattr(error, "reason", None) or error
        raise OperationFailed(
            f"the cluster cannot be reached: {reason}",
            where=f"context {context or 'current'} of {shown}",
            hint="see that it runs and that this machine reaches it: kubectl get nodes",
        ) from error


def _impatient(api: object) -> object:
    """Without the client's own retries: they would multiply the time-out."""
    from urllib3.util import Retry

    api.rest_client.pool_manager.connection_pool_kw["retries"] = Retry(total=0)  # type: ignore[attr-defined]
    return api
