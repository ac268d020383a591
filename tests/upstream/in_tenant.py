"""Asks from inside a tenant's namespace: a Pod like those of the tenant's own code."""

from __future__ import annotations

import json
import time
import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from mlops_infra import contract
from tests.e2e.platform import Platform, cluster_client

PATIENCE = 180
"""Seconds for a Pod to start and end."""

Question = tuple[str, Mapping[str, str]]
"""A URL, and headers."""

ASK = """
import json, sys, urllib.error, urllib.request

def asked(url, headers):
    try:
        request = urllib.request.Request(url, headers=headers)
        with urllib.request.urlopen(request, timeout=8) as answer:
            return answer.status
    except urllib.error.HTTPError as error:
        return error.code
    except OSError:
        return None

print(json.dumps([asked(*question) for question in json.loads(sys.argv[1])]))
"""


def statuses(platform: Platform, tenant: str, questions: Sequence[Question]) -> list[int | None]:
    """HTTP status of each answer that a Pod of the tenant gets; None where it reaches nobody."""
    words = ["python3", "-c", ASK, json.dumps(list(questions))]
    with _pod(platform, contract.tenant_namespace(tenant), words) as said:
        found: list[int | None] = json.loads(said)
        return found


def token(platform: Platform, tenant: str, account: str) -> str:
    """A token of one of the tenant's ServiceAccounts, for the API server."""
    from kubernetes import client

    core: Any = client.CoreV1Api(cluster_client(platform))
    asked = {"spec": {"expirationSeconds": 600}}
    namespace = contract.tenant_namespace(tenant)
    made = core.create_namespaced_service_account_token(account, namespace, asked)
    return str(made.status.token)


@contextmanager
def _pod(platform: Platform, namespace: str, words: list[str]) -> Iterator[str]:
    """What a Pod of the platform's own image says before it ends."""
    from kubernetes import client

    core: Any = client.CoreV1Api(cluster_client(platform))
    image = core.read_namespaced_config_map("platform", namespace).data[
        contract.RUNTIME_IMAGE_VARIABLE
    ]
    name = f"asks-{uuid.uuid4().hex[:8]}"
    core.create_namespaced_pod(namespace, _body(name, image, words))
    try:
        ends = time.monotonic() + PATIENCE
        while (pod := core.read_namespaced_pod(name, namespace)).status.phase != "Succeeded":
            assert pod.status.phase != "Failed", core.read_namespaced_pod_log(name, namespace)
            assert time.monotonic() < ends, pod.status
            time.sleep(1)
        yield core.read_namespaced_pod_log(name, namespace)
    finally:
        core.delete_namespaced_pod(name, namespace, grace_period_seconds=0)


def _body(name: str, image: str, words: list[str]) -> dict[str, Any]:
    container = {
        "name": "asks",
        "image": image,
        "command": words,
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "capabilities": {"drop": ["ALL"]},
            "readOnlyRootFilesystem": True,
        },
        "resources": {
            "requests": {"cpu": "20m", "memory": "64Mi"},
            "limits": {"cpu": "500m", "memory": "256Mi"},
        },
    }
    return {
        "metadata": {"name": name},
        "spec": {
            "restartPolicy": "Never",
            "automountServiceAccountToken": False,
            "securityContext": {
                "runAsNonRoot": True,
                "runAsUser": 65532,
                "seccompProfile": {"type": "RuntimeDefault"},
            },
            "containers": [container],
        },
    }
