"""Renders a chart with the toolchain's helm, as the cluster would get it."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from mlops_infra import toolchain
from mlops_infra.errors import OperationFailed
from mlops_infra.progress import Sink


class Helm:
    """One helm for many charts; that of `bundle` where this machine has none."""

    def __init__(self, sink: Sink, bundle: Path | None = None) -> None:
        found = toolchain.ensure(["helm"], sink, bundle_folder=bundle)
        self._program = found["helm"].path
        self._kubernetes = toolchain.version("kubelet").removeprefix("v")

    def render(
        self, chart: Path, *, values: Mapping[str, Any] | None = None, namespace: str = ""
    ) -> list[Any]:
        """All documents of a chart, hooks and custom resource definitions included.

        Raises:
            OperationFailed: helm refuses the chart or the values.
        """
        command = [
            *(str(self._program), "template", chart.name.partition(".")[0] or "chart", str(chart)),
            *("--namespace", namespace or "default", "--include-crds"),
            *("--kube-version", self._kubernetes, "--values", "-"),
        ]
        done = subprocess.run(
            command,
            input=json.dumps(values or {}),
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise OperationFailed(
                f"helm cannot render the chart: {done.stderr.strip()[-800:]}",
                where=str(chart),
                hint="it has to render with its own values: helm template CHART"
                if values is None
                else "`mlops-infra check -s STACK` checks the values",
            )
        loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
        return list(yaml.load_all(done.stdout, Loader=loader))
