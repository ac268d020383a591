"""INTERIM (lead): hand-built binaries, until the toolchain engineer's own version replaces this."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from mlops_infra import places
from mlops_infra.errors import MissingError
from mlops_infra.progress import Sink

_W = {
    "pulumi": ("pulumi/pulumi", "3.259.0"),
    "pulumi-language-python": ("pulumi-language-python/pulumi-language-python", "3.78.1"),
    "helm": ("helm/helm", "3.21.4"),
    "etcd": ("etcd/server", "3.6.16"),
    "coredns": ("coredns/coredns", "1.14.7"),
    "versitygw": ("versitygw/versitygw", "1.8.0"),
    "kwok": ("kwok/kwok", "0.8.0"),
    "cni-plugins": ("cni-plugins", "1.8.0"),
    **{
        n: (f"kubernetes/{n}", "1.34.4")
        for n in (
            "kube-apiserver",
            "kube-controller-manager",
            "kube-scheduler",
            "kubelet",
            "kube-proxy",
            "kubectl",
        )
    },
}


@dataclass(frozen=True, slots=True)
class Tool:
    name: str
    version: str
    path: Path
    source: Literal["path", "cache", "bundle", "archive", "built"]


def version(name: str) -> str:
    return _W[name][1]


def key(name: str) -> str:
    return hashlib.sha256(f"{name}{_W[name]}".encode()).hexdigest()[:8]


def locate(name: str) -> Tool | None:
    path = places.cache() / "toolchain/hand" / _W[name][0]
    return Tool(name, _W[name][1], path, "cache") if path.exists() else None


def ensure(names: Iterable[str], sink: Sink) -> dict[str, Tool]:
    found = {}
    for name in names:
        tool = locate(name)
        if tool is None:
            raise MissingError(f"{name} is not there yet")
        found[name] = tool
    return found
