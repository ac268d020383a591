"""The aws profile's way to AWS itself: one client factory, with one clear error for each refusal.

boto3 is imported when the first client is made, so that nothing else needs the extra `aws`.
"""

from mlops_infra.aws.cloud import Cloud
from mlops_infra.aws.site import Site

__all__ = ["Cloud", "Site"]
