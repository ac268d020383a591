"""Stack `kubeflow` with TLS at its edge, brought up once for this folder and taken away again."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from tests.e2e.platform import Platform, taken_down
from tests.kubeflow.stores import certificate


@pytest.fixture(scope="package")
def authority(tmp_path_factory: pytest.TempPathFactory) -> certificate.Site:
    """The site's certificate for all names of the edge."""
    return certificate.make(tmp_path_factory.mktemp("site"), "*.kubeflow.internal")


@pytest.fixture(scope="package")
def platform(
    tmp_path_factory: pytest.TempPathFactory, authority: certificate.Site
) -> Iterator[Platform]:
    if os.geteuid() != 0:
        pytest.skip("a real node needs root")
    with taken_down(Platform(tmp_path_factory.mktemp("kubeflow"), "kubeflow")) as found:
        edge = {"hostname": "kubeflow.internal", "certificate": "edge"}
        components = found.shipped("components")
        components["envoy-gateway"]["settings"] = edge
        found.configure(components=components, secrets={"edge": authority.reference})
        found.up()
        yield found
