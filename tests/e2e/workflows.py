"""Runs a small Workflow: one step writes an artifact, the next one reads it."""

from __future__ import annotations

import time
from typing import Any

GROUP, VERSION, PLURAL = "argoproj.io", "v1alpha1", "workflows"
DONE = ("Succeeded", "Failed", "Error")


def two_steps(image: str, word: str) -> dict[str, Any]:
    """The Workflow; it says nothing of accounts, security or stores: those are the platform's."""
    write = f"import pathlib; pathlib.Path('/tmp/word').write_text({word!r}); print('wrote')"
    read = "import pathlib; print('read ' + pathlib.Path('/tmp/in').read_text())"
    return {
        "apiVersion": f"{GROUP}/{VERSION}",
        "kind": "Workflow",
        "metadata": {"generateName": "two-steps-"},
        "spec": {
            "entrypoint": "both",
            "templates": [
                {
                    "name": "both",
                    "steps": [
                        [{"name": "write", "template": "write"}],
                        [
                            {
                                "name": "read",
                                "template": "read",
                                "arguments": {
                                    "artifacts": [
                                        {
                                            "name": "word",
                                            "from": "{{steps.write.outputs.artifacts.word}}",
                                        }
                                    ]
                                },
                            }
                        ],
                    ],
                },
                {
                    "name": "write",
                    "container": _container(image, write),
                    "outputs": {"artifacts": [{"name": "word", "path": "/tmp/word"}]},
                },
                {
                    "name": "read",
                    "container": _container(image, read),
                    "inputs": {"artifacts": [{"name": "word", "path": "/tmp/in"}]},
                },
            ],
        },
    }


def _container(image: str, code: str) -> dict[str, Any]:
    return {"image": image, "command": ["python3", "-c", code]}


def run(client: Any, namespace: str, body: dict[str, Any], *, patience: float) -> dict[str, Any]:
    """Submit a Workflow and wait for its end; the Workflow as it ended.

    Raises:
        TimeoutError: it has not ended within `patience` seconds.
    """
    from kubernetes.client import CustomObjectsApi

    api = CustomObjectsApi(client)
    made = api.create_namespaced_custom_object(GROUP, VERSION, namespace, PLURAL, body)
    name = made["metadata"]["name"]
    until = time.monotonic() + patience
    while time.monotonic() < until:
        found: dict[str, Any] = api.get_namespaced_custom_object(
            GROUP, VERSION, namespace, PLURAL, name
        )
        if found.get("status", {}).get("phase") in DONE:
            return found
        time.sleep(0.5)
    raise TimeoutError(f"{name}: {found.get('status')}")


def log_object(workflow: dict[str, Any], step: str) -> str:
    """The object of the tenant's bucket that holds what a step printed."""
    for node in workflow["status"]["nodes"].values():
        for artifact in (node.get("outputs") or {}).get("artifacts", []):
            if node["displayName"] == step and artifact["name"] == "main-logs":
                return str(artifact["s3"]["key"])
    raise LookupError(f"no log of {step}")
