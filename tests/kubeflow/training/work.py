"""What people give Trainer and Katib to do: a job of two Pods, a search for the lowest point."""

from __future__ import annotations

import shlex
from typing import Any

LEARN = """
import json, os, socket, sys, time

rank, head, port = int(os.environ["JOB_COMPLETION_INDEX"]), sys.argv[1], 29500
rows = [(x, 3.0 * x + 1.0) for x in range(20)][rank::2]

def connect():
    for _ in range(600):
        try:
            return socket.create_connection((head, port), timeout=60)
        except OSError:
            time.sleep(0.5)
    sys.exit("the first Pod does not answer")

if rank == 0:
    with socket.create_server(("", port)) as server:
        server.settimeout(600)
        other = server.accept()[0]
else:
    other = connect()
# two files: one that is both forgets what it has read ahead when it is written to
reader, writer = other.makefile("r"), other.makefile("w")
w = b = 0.0
for _ in range(4000):
    mine = [sum((w * x + b - y) * f(x) for x, y in rows) for f in (lambda x: x, lambda x: 1.0)]
    print(json.dumps(mine), file=writer, flush=True)
    theirs = json.loads(reader.readline())
    w, b = (v - 0.0005 * (m + t) for v, m, t in zip((w, b), mine, theirs))
print(f"rank={rank} w={w:.3f} b={b:.3f}")
"""
"""Least squares over rows that are apart: without the other's gradients neither finds the line."""

TRIAL = """
import time

for epoch in range(6):
    print(f"loss={(${trialParameters.x} - 1.0) ** 2 + 1.0 / (epoch + 1):.6f}", flush=True)
    time.sleep(1)
"""
"""The best is at x = 1."""

WAIT = """
import signal, sys, time

signal.signal(signal.SIGTERM, lambda *_: sys.exit())
time.sleep(3600)
"""
"""Does not end by itself, but at once when it is told to."""
ENDLESS = "print('loss=1.0', ${trialParameters.x}, flush=True)" + WAIT

SECURITY = {
    "allowPrivilegeEscalation": False,
    "capabilities": {"drop": ["ALL"]},
    "readOnlyRootFilesystem": True,
    "runAsNonRoot": True,
    "runAsUser": 65532,
    "seccompProfile": {"type": "RuntimeDefault"},
}
RESOURCES = {
    "requests": {"cpu": "50m", "memory": "64Mi"},
    "limits": {"cpu": "500m", "memory": "256Mi"},
}


def best(x: float) -> float:
    """The lowest loss that a trial at `x` reports."""
    return (x - 1.0) ** 2 + 1.0 / 6.0


def job(name: str) -> dict[str, Any]:
    """A TrainJob whose two Pods learn together."""
    return _train_job(name, ["python3", "-c", LEARN, f"{name}-node-0-0.{name}"])


def endless_job(name: str) -> dict[str, Any]:
    """A TrainJob of two Pods that does not end by itself."""
    return _train_job(name, ["python3", "-c", WAIT])


def _train_job(name: str, command: list[str]) -> dict[str, Any]:
    trainer = {"numNodes": 2, "command": command, "resourcesPerNode": RESOURCES}
    return {
        "apiVersion": "trainer.kubeflow.org/v1alpha1",
        "kind": "TrainJob",
        "metadata": {"name": name},
        # the runtime's name alone: group and kind are filled in
        "spec": {"runtimeRef": {"name": "python"}, "trainer": trainer},
    }


def experiment(name: str, image: str, program: str = TRIAL) -> dict[str, Any]:
    """A search of four trials, with the service that stops trials early beside it.

    Its service stays when it has ended, so that the search can go on.
    """
    settings = [{"name": "min_trials_required", "value": "1"}, {"name": "start_step", "value": "3"}]
    space = {"min": "-4", "max": "4"}
    spec = {
        "objective": {"type": "minimize", "objectiveMetricName": "loss"},
        "algorithm": {"algorithmName": "tpe"},
        "earlyStopping": {"algorithmName": "medianstop", "algorithmSettings": settings},
        "resumePolicy": "LongRunning",
        "parallelTrialCount": 2,
        "maxTrialCount": 4,
        "maxFailedTrialCount": 1,
        "parameters": [{"name": "x", "parameterType": "double", "feasibleSpace": space}],
        "trialTemplate": {
            "primaryContainerName": "trial",
            "trialParameters": [{"name": "x", "reference": "x"}],
            "trialSpec": {
                "apiVersion": "batch/v1",
                "kind": "Job",
                "spec": {"backoffLimit": 0, "template": {"spec": _trial_pod(image, program)}},
            },
        },
    }
    return {
        "apiVersion": "kubeflow.org/v1beta1",
        "kind": "Experiment",
        "metadata": {"name": name},
        "spec": spec,
    }


def _trial_pod(image: str, program: str) -> dict[str, Any]:
    container = {
        "name": "trial",
        "image": image,
        # Katib joins the words for a shell that it puts around them
        "command": ["python3", "-u", "-c", shlex.quote(program)],
        "resources": RESOURCES,
        "securityContext": SECURITY,
    }
    return {"restartPolicy": "Never", "containers": [container]}
