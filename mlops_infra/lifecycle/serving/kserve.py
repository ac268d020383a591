"""Serves model versions by KServe: an InferenceService for each, in the tenant's namespace."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mlops_infra import contract
from mlops_infra.lifecycle.services.kubernetes_objects import Kind
from mlops_infra.lifecycle.serving.custom_objects import CustomObjectServing, State
from mlops_infra.lifecycle.serving.interface import Address, Scaling, Service, labels

INFERENCE_SERVICE = Kind("serving.kserve.io", "v1beta1", "inferenceservices")
_UID = {"runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}}


class KServe(CustomObjectServing):
    """Serves by InferenceServices in Standard mode, in the runtime `kserve-mlserver`."""

    kind = INFERENCE_SERVICE
    title = "InferenceService"
    pod_label = "serving.kserve.io/inferenceservice"

    def manifest(self, service: Service) -> dict[str, Any]:
        """The InferenceService of one model version."""
        return inference_service(service)

    def state(self, found: Mapping[str, Any]) -> State:
        """Its condition Ready, or what stands in its way."""
        return State(is_ready(found), _unready(found))

    def scaling_in(self, found: Mapping[str, Any]) -> Scaling:
        """The predictor's bounds."""
        predictor = found["spec"]["predictor"]
        least, most = predictor["minReplicas"], predictor["maxReplicas"]
        if least == most:
            return Scaling(least, most)
        return Scaling(least, most, predictor["scaleTarget"])

    def workload(self, service: Service) -> str:
        """The predictor's Deployment."""
        return f"{service.name}-predictor"

    def address(self, service: Service) -> Address:
        """Its Service in the cluster; needs no ingress."""
        host = f"{service.name}-predictor.{service.namespace}.svc.cluster.local"
        return Address(f"http://{host}", service.name)


def inference_service(service: Service) -> dict[str, Any]:
    """The InferenceService of one model version."""
    scaling = service.scaling
    fixed = scaling.least == scaling.most
    autoscaler = "none" if fixed else "hpa"
    scale = {} if fixed else {"scaleMetric": "cpu", "scaleTarget": scaling.cpu_percent}
    return {
        "apiVersion": "serving.kserve.io/v1beta1",
        "kind": "InferenceService",
        "metadata": {
            "name": service.name,
            "namespace": service.namespace,
            "labels": labels(service),
            "annotations": {
                "serving.kserve.io/deploymentMode": "Standard",
                "serving.kserve.io/autoscalerClass": autoscaler,
                contract.MODEL_LABEL: f"{service.model}/{service.version}",
            },
        },
        "spec": {
            "predictor": {
                "serviceAccountName": "serving",
                "automountServiceAccountToken": False,
                "securityContext": _UID,
                "minReplicas": scaling.least,
                "maxReplicas": scaling.most,
                **scale,
                "model": {
                    "modelFormat": {"name": "mlflow"},
                    "protocolVersion": "v2",
                    # The controller finds MLServer's class for the format under this name alone.
                    "runtime": "kserve-mlserver",
                    "storageUri": service.storage,
                    "resources": {kind: dict(each) for kind, each in service.resources.items()},
                },
            }
        },
    }


def is_ready(found: Mapping[str, Any]) -> bool:
    """Whether the condition Ready holds for what was asked last."""
    status = found.get("status") or {}
    seen = status.get("observedGeneration")
    if seen is not None and seen < found["metadata"].get("generation", 0):
        return False
    return any(
        each.get("type") == "Ready" and each.get("status") == "True"
        for each in status.get("conditions") or ()
    )


def _unready(found: Mapping[str, Any]) -> str:
    status = found.get("status") or {}
    failed = (status.get("modelStatus") or {}).get("lastFailureInfo") or {}
    if failed.get("message"):
        return str(failed["message"])
    told = [
        f"{each.get('type')}: {each.get('message') or each.get('reason') or 'not yet'}"
        for each in status.get("conditions") or ()
        if each.get("status") != "True"
    ]
    return "; ".join(told) or "the controller has not processed it"
