"""Where an Argo Workflow of a tenant runs, and where its code is."""

from __future__ import annotations

from dataclasses import dataclass

from mlops_infra import contract

CODE_FOLDER = "/code"
"""Where a ConfigMap with the person's code is mounted."""


@dataclass(frozen=True, slots=True)
class ArgoSettings:
    """Where a Workflow runs; names are those of the chart `tenant`."""

    tenant: str
    image: str
    """The runtime image."""
    bucket: str = ""
    """Empty: the tenant's own, which its Pods know."""
    code: str | None = None
    """Place of the person's code: an object."""
    code_config_map: str | None = None
    """Instead: a ConfigMap that holds it under its sha256 and `.py`."""
    service_account: str = "pipeline"
    image_pull_secrets: tuple[str, ...] = ()

    @property
    def namespace(self) -> str:
        """The tenant's namespace."""
        return contract.tenant_namespace(self.tenant)
