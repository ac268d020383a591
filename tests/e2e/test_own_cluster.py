"""The core on a cluster that somebody else runs, pulled from a registry that asks for a password.

The cluster is one of this kit, used by its kubeconfig alone, as any other would be; its nodes know
the registry by a name of the site's. It takes minutes: `make air-gap`.
"""

from __future__ import annotations

import base64
import json
import os
from collections.abc import Iterator
from ipaddress import ip_address
from pathlib import Path

import pytest
import yaml

from tests.e2e.platform import Platform, left_behind, told
from tests.registries import free_port, registry

pytestmark = pytest.mark.skipif("MLOPS_INFRA_AIRGAP" not in os.environ, reason="make air-gap")

NAME, PASSWORD = "reader", "canary-reader-51"
HTPASSWD = "reader:$2b$04$8r68wRo3heDPbaHiJTeSEuLfdb1CcJwfC7PktXfz0zYYZlwiy/pL6"
"""The same pair; the registry takes nothing but bcrypt."""
CLUSTER = "core"
"""Its owners call it so; the stack knows nothing of it but the kubeconfig."""
HOST = "registry.site.example:5000"


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Platform]:
    """A stack `core` for that cluster and that registry, both of which run; nothing is deployed."""
    if os.geteuid() != 0:
        pytest.skip("a real node needs root")
    from mlops_infra.cluster.node import footprint

    found, owners = Platform(tmp_path / "site"), Platform(tmp_path / "owners")
    before = footprint.snapshot([found.data, owners.data])
    port = free_port()
    nodes = tmp_path / "nodes" / HOST
    nodes.mkdir(parents=True)
    # loopback is written as the address that the node knows this machine by
    (nodes / "hosts.toml").write_text(f'[host."http://127.0.0.1:{port}"]\n')
    owners.env["MLOPS_INFRA_REGISTRIES"] = str(nodes.parent)
    try:
        begun = owners.json("cluster", "start", CLUSTER)
        # the private link between this machine and the node has two addresses: this is ours
        link = str(ip_address(begun["node_address"]) - 1)
        with registry(tmp_path / "registry", more=_asks(tmp_path), address=link, port=port) as real:
            _configure(found, begun, real, tmp_path)
            yield found
    finally:
        owners.ok("cluster", "delete", CLUSTER)
        assert left_behind(before, owners) == []


def _asks(folder: Path) -> str:
    accounts = folder / "htpasswd"
    accounts.write_text(HTPASSWD + "\n")
    return f"auth: {{htpasswd: {{realm: site, path: {accounts}}}}}\n"


def _configure(site: Platform, cluster: dict[str, str], real: str, folder: Path) -> None:
    login = base64.b64encode(f"{NAME}:{PASSWORD}".encode()).decode()
    (folder / "config.json").write_text(json.dumps({"auths": {real: {"auth": login}}}))
    reached = {"hosts": {HOST: {"mirror": f"http://{real}"}}}
    (folder / "registries.yaml").write_text(yaml.safe_dump(reached))
    site.env |= {"SITE_NAME": NAME, "SITE_PASSWORD": PASSWORD, "DOCKER_CONFIG": str(folder)}
    site.configure(
        cluster={
            "kubeconfig": cluster["kubeconfig"],
            "expose": "nodePort",
            "address": cluster["node_address"],
        },
        network={"images": "built", "registry": HOST, "registryLogin": "site"},
        secrets={"site": {"username": {"env": "SITE_NAME"}, "password": {"env": "SITE_PASSWORD"}}},
        tenants={"demand": {"owner": "choi"}},
    )


def test_images_are_pulled_by_password_alone(site: Platform, tmp_path: Path) -> None:
    lock, bundle, reach = (str(tmp_path / name) for name in ("lock", "bundle", "registries.yaml"))
    site.ok("bundle", "lock", "-s", "core", "-o", lock)
    site.ok("bundle", "build", lock, "-o", bundle)
    site.ok("bundle", "push", bundle, "--registry", HOST, "--registries", reach)
    try:
        site.up()
        images = _images(tmp_path / "owners" / "data" / "clusters" / CLUSTER / "kubeconfig")
        assert images
        assert {image.partition("/")[0] for image in images} == {HOST}
        assert site.json("up", "-s", "core")["counts"] == {}
        site.ok("verify", "-s", "core")
    finally:
        down = site.run("down", "-s", "core", "--purge", "--json")
    assert down.returncode == 0, told(down)
    assert json.loads(down.stdout)["leftovers"] == []
    assert PASSWORD not in "".join(_texts(site.data))


def _images(kubeconfig: Path) -> set[str]:
    from kubernetes import client, config

    api = client.CoreV1Api(config.new_client_from_config(str(kubeconfig)))
    found = api.list_pod_for_all_namespaces(label_selector="mlops-infra.dev/stack=core").items
    return {container.image for pod in found for container in pod.spec.containers}


def _texts(folder: Path) -> Iterator[str]:
    for file in folder.rglob("*"):
        if file.is_file():
            yield file.read_text("utf-8", errors="replace")
