"""The core on a cluster that somebody else runs: all images are pulled from the site's registry,

which lets nobody in without a password. The cluster is one of this kit, used by its kubeconfig
alone, as any other would be. It takes minutes: `make air-gap`.
"""

from __future__ import annotations

import base64
import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.platform import Platform, left_behind, told
from tests.registries import registry

pytestmark = pytest.mark.skipif("MLOPS_INFRA_AIRGAP" not in os.environ, reason="make air-gap")

NAME, PASSWORD = "reader", "canary-reader-51"
HTPASSWD = "reader:$2b$04$8r68wRo3heDPbaHiJTeSEuLfdb1CcJwfC7PktXfz0zYYZlwiy/pL6"
"""The same pair; the registry takes nothing but bcrypt."""
THEIRS = "core"
"""Name of the cluster; the stack knows nothing of it."""


@pytest.fixture
def host(tmp_path: Path) -> Iterator[str]:
    """A registry that wants a name and a password for everything."""
    accounts = tmp_path / "htpasswd"
    accounts.write_text(HTPASSWD + "\n")
    asks = f"auth: {{htpasswd: {{realm: site, path: {accounts}}}}}\n"
    with registry(tmp_path / "registry", more=asks) as address:
        yield address


@pytest.fixture
def cluster(tmp_path: Path, host: str) -> Iterator[tuple[Platform, str]]:
    """A stack `core` that uses the cluster and the registry, and the kubeconfig; not yet up."""
    if os.geteuid() != 0:
        pytest.skip("a real node needs root")
    from mlops_infra.cluster import footprint

    found, theirs = Platform(tmp_path / "site"), Platform(tmp_path / "theirs")
    login = base64.b64encode(f"{NAME}:{PASSWORD}".encode()).decode()
    (tmp_path / "config.json").write_text(json.dumps({"auths": {host: {"auth": login}}}))
    found.env |= {"SITE_NAME": NAME, "SITE_PASSWORD": PASSWORD, "DOCKER_CONFIG": str(tmp_path)}
    before = footprint.snapshot([found.data, theirs.data])
    try:
        begun = theirs.json("cluster", "start", THEIRS)
        found.configure(
            cluster={
                "kubeconfig": begun["kubeconfig"],
                "expose": "nodePort",
                "address": begun["node_address"],
            },
            network={"images": "built", "registry": host, "registryLogin": "site"},
            secrets={
                "site": {"username": {"env": "SITE_NAME"}, "password": {"env": "SITE_PASSWORD"}}
            },
            tenants={"demand": {"owner": "choi"}},
        )
        yield found, begun["kubeconfig"]
    finally:
        theirs.ok("cluster", "delete", THEIRS)
        assert left_behind(before, theirs) == []


def test_images_are_pulled_by_password_alone(
    cluster: tuple[Platform, str], host: str, tmp_path: Path
) -> None:
    site, kubeconfig = cluster
    bundle = str(tmp_path / "bundle")
    lock = str(tmp_path / "bundle.lock")
    site.ok("bundle", "lock", "-s", "core", "-o", lock)
    site.ok("bundle", "build", lock, "-o", bundle)
    site.ok("bundle", "push", bundle, "--registry", host, "--plain-http")
    try:
        site.up()
        images = _images(kubeconfig)
        assert images
        assert {image.partition("/")[0] for image in images} == {host}
        assert site.json("up", "-s", "core")["counts"] == {}
        verified = site.run("verify", "-s", "core", "--json")
        assert verified.returncode == 0, told(verified)
    finally:
        down = site.run("down", "-s", "core", "--purge", "--json")
    assert down.returncode == 0, told(down)
    assert json.loads(down.stdout)["leftovers"] == []
    assert PASSWORD not in "".join(_texts(site.data))


def _images(kubeconfig: str) -> set[str]:
    from kubernetes import client, config

    api = client.CoreV1Api(config.new_client_from_config(kubeconfig))
    found = api.list_pod_for_all_namespaces(label_selector="mlops-infra.dev/stack=core").items
    return {container.image for pod in found for container in pod.spec.containers}


def _texts(folder: Path) -> Iterator[str]:
    for file in folder.rglob("*"):
        if file.is_file():
            yield file.read_text("utf-8", errors="replace")
