"""Trainer and Katib do what they are for: a job of two Pods, and a search that ends with a best."""

from __future__ import annotations

import json

import pytest

from tests.e2e.platform import Platform, cluster_client
from tests.kubeflow.training import cluster, work
from tests.kubeflow.training.cluster import Objects


def test_every_pod_is_real_and_ready(training: Platform) -> None:
    status = training.json("status", "-s", training.stack)
    assert status["problems"] == []
    states = {each["name"]: each["state"] for each in status["components"]}
    assert (states["trainer"], states["katib"]) == ("ready", "ready")


def test_a_training_job_of_two_pods_ends_with_what_both_have_learnt(training: Platform) -> None:
    job = Objects(cluster_client(training), "trainjobs").ended("line", "Complete")
    (node,) = job["status"]["jobsStatus"]
    assert (node["name"], node["succeeded"]) == ("node", 1)
    printed = cluster.logs(training, "jobset.sigs.k8s.io/jobset-name=line")
    assert sorted(printed) == ["rank=0 w=3.000 b=1.000", "rank=1 w=3.000 b=1.000"]


def test_an_experiment_ends_with_its_best_trial(training: Platform) -> None:
    admin = cluster_client(training)
    status = Objects(admin, "experiments").ended("parabola", "Succeeded")["status"]
    optimum = status["currentOptimalTrial"]
    (value,) = [float(each["value"]) for each in optimum["parameterAssignments"]]
    (loss,) = [m for m in optimum["observation"]["metrics"] if m["name"] == "loss"]
    assert float(loss["min"]) == pytest.approx(work.best(value), abs=1e-4)
    assert status["trialsSucceeded"] + status.get("trialsEarlyStopped", 0) == 4
    reported = _reported(training)
    # of a trial that was stopped last the experiment waits for no metrics
    assert status["trialsSucceeded"] <= len(reported) <= 4
    assert float(loss["min"]) == min(reported)


def _reported(training: Platform) -> list[float]:
    """The best value of every trial that has one."""
    return [
        float(metric["min"])
        for trial in Objects(cluster_client(training), "trials").list()
        for metric in trial["status"].get("observation", {}).get("metrics", [])
        if metric["name"] == "loss"
    ]


def test_experiments_are_shown_to_people_of_their_tenant_alone(training: Platform) -> None:
    asked = f"fetch_experiments/?namespace={cluster.TENANT}"
    with cluster.katib_server(training) as ask:
        assert ask(asked)[0] == 401
        assert ask(asked, {"kubeflow-userid": "choi"})[0] == 403
        code, listed = ask(asked, {"kubeflow-userid": "lee"})
    assert code == 200
    assert [each["name"] for each in json.loads(listed)] == ["parabola"]
