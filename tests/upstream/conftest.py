"""Kubeflow Pipelines, Seldon Core and Kubeflow's notebooks in real Pods, on one small stack.

Nothing here makes their images: `make upstream REGISTRY=HOST:PORT` names a registry that has them
under upstream's paths (`/v2/kubeflow/kfp-api-server/...`). A component of which it lacks an image
is left out of the stack, and its tests are skipped by the image's name.
"""

from __future__ import annotations

import http.client
import os
from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest

from tests.e2e.platform import Platform, taken_down
from tests.machine import pytest_sessionfinish, pytest_sessionstart
from tests.mirrored import mirrored

__all__ = ["pytest_sessionfinish", "pytest_sessionstart"]

VARIABLE = "MLOPS_INFRA_UPSTREAM"
UPSTREAMS = {
    "kubeflow-pipelines": ("kubeflow-pipelines", {}),
    "seldon-core": ("seldon-core", {}),
    "kubeflow-notebooks": ("notebooks", {"settings": {"engine": "kubeflow"}}),
}
"""Components whose images no recipe makes: their section of the stack's file, and what it says."""
BESIDE = ("argo-workflows", "kserve", "katib", "lifecycle")
"""What they work with; all of it is built here."""
BY_KFP = "stems"
"""A model of `other`, whose trainings run on Kubeflow Pipelines where that is real."""
GIVEN = {"promote": "false", "algorithm": "forest", "hyperparameters": '{"n_estimators": 20}'}
"""Parameters of its trainings."""
BY_SELDON = "vines"
"""A model of `demo` that names the engine which serves it; the stack's own choice is KServe."""
TENANTS = {
    "demo": {
        "owner": "lee",
        "members": ["ana", "kim"],
        "quota": {"cpu": "6", "memory": "10Gi", "storage": "20Gi", "pods": 60},
    },
    "other": {
        "owner": "choi",
        "members": ["park"],
        "quota": {"cpu": "3", "memory": "4Gi", "storage": "10Gi", "pods": 20},
    },
}


@pytest.fixture(scope="session")
def registry() -> str:
    """The registry as it was named, and it answers."""
    named = os.environ.get(VARIABLE)
    if not named:
        pytest.skip("upstream's images: make upstream REGISTRY=HOST:PORT")
    if os.geteuid() != 0:
        pytest.skip("a real node needs root")
    parts = urlsplit(named if "://" in named else f"http://{named}")
    plain = parts.scheme == "http"
    kind = http.client.HTTPConnection if plain else http.client.HTTPSConnection
    connection = kind(parts.netloc, timeout=10)
    try:
        connection.request("GET", "/v2/")
        connection.getresponse()
    except OSError as error:
        pytest.fail(f"REGISTRY={named} does not answer: {error}")
    finally:
        connection.close()
    return named


@pytest.fixture(scope="session")
def platform(registry: str, tmp_path_factory: pytest.TempPathFactory) -> Platform:
    """Configured for all components; nothing runs yet."""
    folder = tmp_path_factory.mktemp("upstream")
    found = Platform(folder)
    found.env |= mirrored(folder, registry)
    _configure(found, set())
    return found


@pytest.fixture(scope="session")
def lacking(platform: Platform) -> dict[str, str]:
    """Components that would be simulated, with the image that the registry does not have."""
    told = platform.json("check", "-s", platform.stack, "--ask")["components"]
    return {each["name"]: each["why"] for each in told if each["simulated"]}


@pytest.fixture(scope="session")
def upstream(platform: Platform, lacking: dict[str, str]) -> Iterator[Platform]:
    """All of them that can be had, up; at the end taken away to nothing."""
    _configure(platform, set(lacking))
    with taken_down(platform):
        platform.up()
        yield platform


@pytest.fixture(scope="session")
def pipelines(lacking: dict[str, str], request: pytest.FixtureRequest) -> Platform:
    """The platform, which has Kubeflow Pipelines."""
    return _with("kubeflow-pipelines", lacking, request)


@pytest.fixture(scope="session")
def seldon(lacking: dict[str, str], request: pytest.FixtureRequest) -> Platform:
    """The platform, which has Seldon Core, and KServe beside it."""
    return _with("seldon-core", lacking, request)


@pytest.fixture(scope="session")
def notebooks(lacking: dict[str, str], request: pytest.FixtureRequest) -> Platform:
    """The platform, which has Kubeflow's notebooks."""
    return _with("kubeflow-notebooks", lacking, request)


def _with(component: str, lacking: dict[str, str], request: pytest.FixtureRequest) -> Platform:
    if component in lacking:
        pytest.skip(lacking[component])
    found: Platform = request.getfixturevalue("upstream")
    return found


def _configure(platform: Platform, without: set[str]) -> None:
    sections = dict(each for name, each in UPSTREAMS.items() if name not in without)
    sections |= {name: {} for name in BESIDE}
    chosen = {} if "seldon-core" in without else {BY_SELDON: {"serving": "seldon-core"}}
    demo = {**TENANTS["demo"], "models": chosen}
    trained = {"pipelineEngine": "argo" if "kubeflow-pipelines" in without else "kfp"}
    other = {**TENANTS["other"], **trained, "models": {BY_KFP: {"parameters": GIVEN}}}
    platform.configure(
        components={name: {"state": "managed", **more} for name, more in sections.items()},
        tenants={"demo": demo, "other": other},
        licence={"accept": [] if "seldon-core" in without else ["seldon-core"]},
    )
