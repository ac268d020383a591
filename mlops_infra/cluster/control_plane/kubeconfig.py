"""kubeconfig files: for people on the host and for the cluster's own processes. Mode 0600."""

from __future__ import annotations

import base64
import json
from pathlib import Path

from mlops_infra.cluster.instance import state


def write(file: Path, *, cluster: str, server: str, pki: Path, client: str) -> None:
    """Write access as `client` (a certificate in `pki`), with everything embedded.

    JSON is YAML, so every Kubernetes client reads it.
    """

    def data(name: str) -> str:
        return base64.b64encode((pki / name).read_bytes()).decode()

    context = f"mlops-infra-{cluster}"
    value = {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": context,
        "clusters": [
            {
                "name": context,
                "cluster": {"server": server, "certificate-authority-data": data("ca.crt")},
            }
        ],
        "users": [
            {
                "name": client,
                "user": {
                    "client-certificate-data": data(f"{client}.crt"),
                    "client-key-data": data(f"{client}.key"),
                },
            }
        ],
        "contexts": [{"name": context, "context": {"cluster": context, "user": client}}],
    }
    if not file.exists() or json.loads(file.read_text(encoding="utf-8")) != value:
        state.write(file, value)
