"""An `up` to be killed: run as a program with the stack's folder, a kubeconfig and a namespace."""

from __future__ import annotations

import sys
from pathlib import Path

from pulumi import ResourceOptions

from tests.engine.stacks import Program, Stack
from tests.engine.workloads import deployment


def program(namespace: str, image: str) -> Program:
    from pulumi_kubernetes.core.v1 import ConfigMap

    def run(opts: ResourceOptions) -> None:
        # one with an automatic name, one with its own
        deployment("web", namespace, image, opts)
        ConfigMap("auto", metadata={"namespace": namespace}, data={"a": "b"}, opts=opts)

    return run


if __name__ == "__main__":
    folder, kubeconfig, space = sys.argv[1:]
    stack = Stack(Path(folder), kubeconfig)
    stack.program = program(space, "slow/app:1")
    stack.up()
