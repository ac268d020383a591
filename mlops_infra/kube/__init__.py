"""The way to a Kubernetes cluster: opening it, calls, kinds, why Pods do not start, what holds.

cluster = Cluster.open(kubeconfig, context)
for cause in causes(cluster, "mlops", kind="Deployment", name="mlflow"):
    print(cause)
for holder in holders(cluster, ["mlops"]):
    print(holder)
"""

from mlops_infra.kube.cluster import Cluster
from mlops_infra.kube.diagnosis import Cause, causes
from mlops_infra.kube.failures import ApiError, UnreachableError
from mlops_infra.kube.holders import Holder, holders, holders_of
from mlops_infra.kube.kinds import Kind
from mlops_infra.kube.opening import open_client

__all__ = [
    "ApiError",
    "Cause",
    "Cluster",
    "Holder",
    "Kind",
    "UnreachableError",
    "causes",
    "holders",
    "holders_of",
    "open_client",
]
