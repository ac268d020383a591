"""An `up` to be killed: run as a program with the stack's folder, a kubeconfig and a namespace."""

from __future__ import annotations

import sys
from pathlib import Path

from pulumi import ResourceOptions

from tests.engine.stacks import Program, Stack
from tests.engine.workloads import deployment, stateful_set


def program(namespace: str, image: str) -> Program:
    from pulumi_kubernetes.core.v1 import ConfigMap

    def run(opts: ResourceOptions) -> None:
        deployment("web", namespace, image, opts)
        stateful_set("store", namespace, image, opts)
        meta = {"name": "settings", "namespace": namespace}
        ConfigMap("settings", metadata=meta, data={"image": image}, opts=opts)

    return run


if __name__ == "__main__":
    folder, kubeconfig, space = sys.argv[1:]
    stack = Stack(Path(folder), kubeconfig)
    stack.program = program(space, "slow/app:1")
    stack.up()
