"""The text of `Pulumi.yaml`, of which the `config:` part comes from the models."""

from __future__ import annotations

from typing import Any

import yaml

from mlops_infra.config.schema import pulumi_schema

_HEAD = """\
# Written by tests/unit/config/test_generated.py; a test compares. The stacks are in stacks/.
"""


def project_file() -> str:
    """All of `Pulumi.yaml`.

    The pip toolchain is named because Pulumi would otherwise look for lock files of other tools in
    every folder above; the virtual environment because it would otherwise take any Python.
    """
    whole: dict[str, Any] = {
        "name": "mlops-infra",
        "description": "Deploy a whole MLOps platform from one typed configuration file",
        "runtime": {"name": "python", "options": {"toolchain": "pip", "virtualenv": ".venv"}},
        "main": "stacks/",
        "stackConfigDir": "stacks",
        "config": pulumi_schema(),
    }
    return _HEAD + yaml.safe_dump(whole, sort_keys=False, allow_unicode=True, width=100)
