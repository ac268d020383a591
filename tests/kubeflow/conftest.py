"""Stack `kubeflow` with TLS at its edge, brought up once for this tier and taken away again."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.platform import Platform, taken_down
from tests.kubeflow.stores import certificate
from tests.kubeflow.training import cluster, work
from tests.kubeflow.training.cluster import Objects
from tests.machine import pytest_sessionfinish, pytest_sessionstart

__all__ = ["pytest_sessionfinish", "pytest_sessionstart"]

FOLDER = Path(__file__).parent
ORDER = ("training", "test_upgrade.py", "stores", "test_teardown.py")
"""Files and folders of tests that share the platform; others come first, without it."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Order them as they are to begin: what takes the platform away comes last."""
    ours = sorted((item for item in items if FOLDER in item.path.parents), key=_rank)
    items[:] = [item for item in items if FOLDER not in item.path.parents] + ours


def _rank(item: pytest.Item) -> int:
    part = item.path.relative_to(FOLDER).parts[0]
    return ORDER.index(part) if part in ORDER else -1


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory) -> certificate.Site:
    """The site's certificate for all names of the edge."""
    return certificate.make(tmp_path_factory.mktemp("site"), "*.kubeflow.internal")


@pytest.fixture(scope="session")
def platform(
    tmp_path_factory: pytest.TempPathFactory, authority: certificate.Site
) -> Iterator[Platform]:
    """The stack as its example file describes it, with the site's certificate."""
    if os.geteuid() != 0:
        pytest.skip("a real node needs root")
    with taken_down(Platform(tmp_path_factory.mktemp("kubeflow"), "kubeflow")) as found:
        components = found.shipped("components")
        components["envoy-gateway"]["settings"]["certificate"] = "edge"
        found.configure(components=components, secrets={"edge": authority.reference})
        found.up()
        yield found


@pytest.fixture(scope="session")
def training(platform: Platform) -> Platform:
    """The platform while a tenant's notebook has a job and a search running, or ended, in it."""
    notebook = cluster.as_account(platform, cluster.TENANT, "notebook")
    Objects(notebook, "trainjobs").create(work.job("line"))
    image = cluster.python_image(platform)
    Objects(notebook, "experiments").create(work.experiment("parabola", image))
    return platform
