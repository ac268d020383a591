"""`down` while a job and a search run: they end first, and nothing of anything is left."""

from __future__ import annotations

from tests.e2e.platform import Platform, cluster_client
from tests.kubeflow.training import cluster, work
from tests.kubeflow.training.cluster import Objects

CLUSTERS_OWN = {"default", "kube-system", "kube-public", "kube-node-lease"}


def test_nothing_is_left_of_work_that_was_running(training: Platform) -> None:
    from kubernetes.client import AdmissionregistrationV1Api, ApiextensionsV1Api, CoreV1Api

    admin = cluster_client(training)
    Objects(admin, "trainjobs").create(work.endless_job("endless"))
    image = cluster.python_image(training)
    Objects(admin, "experiments").create(work.experiment("endless", image, work.ENDLESS))
    _running(training, "jobset.sigs.k8s.io/jobset-name=endless")
    _running(training, "katib.kubeflow.org/experiment=endless,katib.kubeflow.org/trial")

    down = training.json("down", "-s", training.stack, "--purge", "--keep-cluster")
    assert (down["leftovers"], down["cleared"]) == ([], [])
    assert {each.metadata.name for each in CoreV1Api(admin).list_namespace().items} == CLUSTERS_OWN
    assert ApiextensionsV1Api(admin).list_custom_resource_definition().items == []
    admission = AdmissionregistrationV1Api(admin)
    assert admission.list_mutating_webhook_configuration().items == []
    assert admission.list_validating_webhook_configuration().items == []
    assert admission.list_validating_admission_policy().items == []


def _running(training: Platform, selector: str) -> None:
    """Wait for two Pods that run."""

    def both() -> bool:
        phases = [pod.status.phase for pod in cluster.pods(training, selector)]
        return phases == ["Running", "Running"]

    cluster.until(both, selector)
