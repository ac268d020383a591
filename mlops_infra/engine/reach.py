"""Asks somebody else's cluster one short question before anything is prepared for it."""

from __future__ import annotations

from mlops_infra.engine.stack_record import StackRecord
from mlops_infra.errors import OperationFailed
from mlops_infra.kube import open_client

TIMEOUT = 10
"""Seconds. Pulumi's provider would go on trying for minutes."""


def check(record: StackRecord) -> str:
    """The cluster's Kubernetes version.

    Raises:
        InputError: the kubeconfig is wrong.
        OperationFailed: the cluster cannot be reached, or refuses us.
    """
    import urllib3
    from kubernetes import client

    api = open_client(record.kubeconfig, record.context)
    try:
        return str(client.VersionApi(api).get_code(_request_timeout=TIMEOUT).git_version)
    except (client.ApiException, urllib3.exceptions.HTTPError, OSError) as error:
        reason = getattr(error, "reason", None) or error
        raise OperationFailed(
            f"the cluster cannot be reached: {reason}",
            where=f"context {record.context or 'current'} of {record.kubeconfig or 'kubeconfig'}",
            hint="check that it runs and is reachable from here: kubectl get nodes",
        ) from error
