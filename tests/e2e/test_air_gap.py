"""The guide of closed networks, typed on a machine that nothing leads out of.

One side makes the bundle; the other has the bundle, the public key and a bare system: another
network, an empty home, no checkout, no cache. Every packet that tries to leave is counted.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import yaml

from offline_bundle import layout, lockfile
from tests.closed_site import ClosedSite, hidden_here, lacking
from tests.e2e import own_image
from tests.e2e.closed_guide import BESIDE, CLOSED, OPEN, script
from tests.readme import ROOT

LACKING = lacking()
pytestmark = pytest.mark.skipif(LACKING is not None, reason=LACKING or "")
WHOLE = pytest.mark.skipif("MLOPS_INFRA_AIRGAP" not in os.environ, reason="make air-gap")

LEAVE = """python3 -c '
import socket
tried = socket.socket()
tried.settimeout(0.2)
tried.connect_ex(("203.0.113.9", 443))
'"""
NAME = "airgap"
"""Of the stack on the closed side, and so of its cluster."""
MORE = {
    "core": {"prometheus": {"state": "managed"}},
    "sandbox": {"kserve": {"state": "managed", "settings": {"tensorflow": True}}},
    "kubeflow": {"prometheus": {"state": "managed"}},
}
"""Components whose images are not in the stack's bundle."""
ENVIRONMENT = '. installed/environment; export MLOPS_INFRA_STACKS="$PWD/stacks"'


def make_bundle(folder: Path, stack: str) -> None:
    """The open side: what the guide says, and the site's own image with it."""
    with own_image.own_image(folder / "registry") as settings:
        commands = script(OPEN, stack=stack)
        for command, more in (("lock", f"--image {own_image.REFERENCE} "), ("build", "")):
            commands = re.sub(
                rf"(bundle {command} .*)", rf"\1 {more}--registries {settings}", commands
            )
        stacks = folder / "stacks"
        stacks.mkdir()
        document = yaml.safe_dump(without_upstream(stack), sort_keys=False)
        (stacks / f"Pulumi.{stack}.yaml").write_text(document, "utf-8")
        program = Path(sys.executable).parent
        started = time.monotonic()
        done = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", commands],
            cwd=folder,
            env={
                **os.environ,
                "PATH": f"{program}:{os.environ['PATH']}",
                "MLOPS_INFRA_STACKS": str(stacks),
            },
            capture_output=True,
            text=True,
            check=False,
        )
    sys.stderr.write(f"{time.monotonic() - started:6.1f} s: the bundle of {stack}\n")
    assert done.returncode == 0, f"{done.stdout[-3000:]}\n{done.stderr[-4000:]}"


def typed(machine: ClosedSite, commands: str) -> str:
    """Type commands on the closed side; they have to succeed."""
    started = time.monotonic()
    done = machine.shell(commands)
    sys.stderr.write(f"{time.monotonic() - started:6.1f} s: {commands.strip().splitlines()[-1]}\n")
    assert done.returncode == 0, f"{commands}\n{done.stdout[-3000:]}\n{done.stderr[-4000:]}"
    return done.stdout


@contextmanager
def served(machine: ClosedSite) -> Iterator[Path]:
    """`bundle serve` in the second terminal; yields what it tells of its requests."""
    log = machine.home / "served.txt"
    with log.open("w") as target:
        process = machine.start(
            *("bash", "-c", f"exec {script(BESIDE, stack=NAME)}"), stdout=target, stderr=target
        )
        try:
            until = time.monotonic() + 300
            while "healthz" not in log.read_text():
                assert process.poll() is None, log.read_text()
                assert time.monotonic() < until, log.read_text()
                time.sleep(0.1)
            yield log
        finally:
            process.terminate()
            process.wait(30)


def digests(bundle: Path) -> dict[str, str]:
    """Digest of every image of the lock, by what a Pod's status may call it."""
    found = {}
    for image in lockfile.read_lock(bundle / layout.LOCK).images:
        manifest = json.loads(layout.blob_file(bundle, image.digest).read_bytes())
        # an image that was pulled has its manifest's digest, one that was loaded its config's
        for name in (image.digest, manifest["config"]["digest"]):
            found[name] = image.reference
    return found


def running(machine: ClosedSite) -> dict[str, str]:
    """The images of all containers of the cluster: name to digest."""
    told = typed(machine, f"{KUBECTL} get pods --all-namespaces -o json")
    found = {}
    for pod in json.loads(told)["items"]:
        status = pod["status"]
        for kind in ("initContainerStatuses", "containerStatuses", "ephemeralContainerStatuses"):
            for container in status.get(kind, []):
                assert container["imageID"], (pod["metadata"]["name"], container)
                found[container["image"]] = container["imageID"].rpartition("@")[2]
    return found


KUBECTL = f"""{ENVIRONMENT}; eval "$(mlops-infra env -s {NAME})"; kubectl"""


@pytest.mark.parametrize(
    "stack", ["core", *(pytest.param(name, marks=WHOLE) for name in ("sandbox", "kubeflow"))]
)
def test_the_guide_from_zero_without_one_packet_to_the_outside(stack: str, tmp_path: Path) -> None:
    make_bundle(tmp_path, stack)
    with ClosedSite(tmp_path / "closed", hidden_here(ROOT)) as machine:
        for name in ("bundle", "site.pub"):
            (tmp_path / name).rename(machine.home / name)
        bundle = machine.home / "bundle"
        typed(machine, LEAVE)
        assert "203.0.113.9:443" in machine.left()[-1], "an attempt to leave is not noticed"
        before = machine.packets()
        assert before

        trust, first, install, file, up, away = (
            script(CLOSED, stack=NAME, number=number) for number in range(6)
        )
        typed(machine, trust + first)
        with served(machine) as requests:
            typed(machine, install + file + configured(stack, machine))
            try:
                refused(machine, stack)
                typed(machine, f"{ENVIRONMENT}\n{up}")
                pulled(machine, requests)
                found = running(machine)
            finally:
                typed(machine, f"{ENVIRONMENT}\n{away}")
        known = digests(bundle)
        assert {image: digest for image, digest in found.items() if digest not in known} == {}
        sys.stderr.write(
            f"{len(set(found.values()))} images ran, {machine.packets() - before} packets left\n"
        )
        assert machine.left()[before:] == []
        assert machine.packets() == before


def configured(stack: str, machine: ClosedSite) -> str:
    """The guide's file is that of `core`; any other stack's is its own, in a closed network."""
    if stack == "core":
        return ""
    document = without_upstream(stack)
    document["config"].setdefault("mlops-infra:network", {})["mode"] = "closed"
    (machine.home / "stack.yaml").write_text(yaml.safe_dump(document, sort_keys=False), "utf-8")
    return f"cp stack.yaml stacks/Pulumi.{NAME}.yaml\nmlops-infra check -s {NAME}\n"


def without_upstream(stack: str) -> dict[str, Any]:
    """An example stack, but for what only upstream's registries have: CI may reach none."""
    document = yaml.safe_load((ROOT / "stacks" / f"Pulumi.{stack}.yaml").read_text("utf-8"))
    if stack == "sandbox":
        components = document["config"]["mlops-infra:components"]
        components["kserve"].setdefault("settings", {})["tensorflow"] = False
    return dict(document)


def refused(machine: ClosedSite, stack: str) -> None:
    """What is not in the bundle is refused before anything is touched."""
    file = machine.home / "stacks" / f"Pulumi.{NAME}.yaml"
    document = yaml.safe_load(file.read_text("utf-8"))
    components = document["config"].setdefault("mlops-infra:components", {})
    components |= MORE[stack]
    (machine.home / "more.yaml").write_text(yaml.safe_dump(document), "utf-8")
    done = machine.shell(f"{ENVIRONMENT}\nmlops-infra up -s {NAME} --file more.yaml")
    assert done.returncode == 2, done.stderr
    assert "is not in" in done.stderr, done.stderr
    assert not list(machine.home.glob(".local/share/mlops-infra/clusters/*"))


def pulled(machine: ClosedSite, requests: Path) -> None:
    """The node gets an image that was not loaded into it: under its own name, from the bundle."""
    typed(machine, f"{KUBECTL} run tool --image={own_image.REFERENCE} --restart=Never")
    typed(machine, f"{KUBECTL} wait pod/tool --for=condition=Ready --timeout=120s")
    asked = requests.read_text()
    assert "/v2/registry.site.example/team/tool/manifests/" in asked
    assert "/v2/registry.site.example/team/tool/blobs/" in asked
