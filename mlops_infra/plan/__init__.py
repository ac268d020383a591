"""config x catalog -> Plan: ordered components with chart values, images, Secrets and outputs.

Pure: no network, no clock; `named_files` alone looks at the disk, at what the configuration
names. The gates (licence, compatibility, what this release can do) refuse with a `PlanError` that
names every refusal and its key, or leave findings.
"""

from mlops_infra.errors import PlanError
from mlops_infra.plan.looked_after import looked_after
from mlops_infra.plan.making import make_plan
from mlops_infra.plan.model.planned import (
    NODE,
    Certificate,
    Finding,
    FromConfig,
    Generated,
    Literal,
    Plan,
    PlannedComponent,
    PlannedImage,
    SecretSpec,
    SecretValue,
)
from mlops_infra.plan.network.certificates import CERTIFICATES_END, authority_of, ca_bundle
from mlops_infra.plan.network.outputs import CONTRACT

__all__ = [
    "CERTIFICATES_END",
    "CONTRACT",
    "NODE",
    "Certificate",
    "Finding",
    "FromConfig",
    "Generated",
    "Literal",
    "Plan",
    "PlanError",
    "PlannedComponent",
    "PlannedImage",
    "SecretSpec",
    "SecretValue",
    "authority_of",
    "ca_bundle",
    "looked_after",
    "make_plan",
]
