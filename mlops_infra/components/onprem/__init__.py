"""The on-prem profile as Pulumi resources: one provider, namespaces, applications."""

from mlops_infra.components.onprem.annotations import annotated
from mlops_infra.components.onprem.application import Application
from mlops_infra.components.onprem.chart_files import without_links
from mlops_infra.components.onprem.cluster_provider import cluster_provider
from mlops_infra.components.onprem.platform import OnPremPlatform

__all__ = ["Application", "OnPremPlatform", "annotated", "cluster_provider", "without_links"]
