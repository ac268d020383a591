"""A Pod runs from an image that was pulled; what a registry may do wrong changes nothing.

A registry on loopback plays a mirror of all others. It serves one of upstream's names, with the
bytes of the image that is built here under it. The tests follow each other in this order.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from mlops_infra import images
from mlops_infra.progress import quiet
from tests.e2e.platform import Platform, cluster_client, told
from tests.hostile import Handler, Script, serving
from tests.mirrored import mirrored

REFERENCE = "docker.io/valkey/valkey:8.1.10"
PLACE = "valkey/valkey"
POD = ("valkey-0", "mlops-stores")
A_LAYER = 100_000
"""Bytes; the configuration has fewer."""
USER = base64.b64encode(b"reader:wrong").decode()

Wrong = Callable[[Script], None]


class Mirror:
    """The registry, and a platform that takes images from it."""

    def __init__(self, platform: Platform, script: Script, host: str, folder: Path) -> None:
        self.platform, self.script, self.host = platform, script, host
        self.env = mirrored(folder, host)

    def pods(self, *words: str) -> tuple[str, str]:
        """What `check` says of the component: real or simulated, and why."""
        found = self.platform.json("check", "-s", self.platform.stack, *words)["components"]
        (valkey,) = [each for each in found if each["name"] == "valkey"]
        return valkey["pods"], valkey["why"]

    def pulled(self) -> list[Path]:
        """Images that the cache has whole, by their records."""
        cache = Path(self.env["MLOPS_INFRA_CACHE"])
        return list((cache / "images" / "pulled" / "records").glob("*.json"))


@pytest.fixture(scope="module")
def mirror(platform: Platform, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mirror]:
    script, before = Script(), dict(platform.env)
    built = images.build("valkey", quiet)
    manifest = _blob(built, built.digest)
    script.manifests |= dict.fromkeys((built.digest, REFERENCE.rpartition(":")[2]), manifest)
    document = json.loads(manifest)
    for part in (document["config"], *document["layers"]):
        script.blobs[part["digest"]] = _blob(built, part["digest"])
    with serving(script) as host:
        found = Mirror(platform, script, host, tmp_path_factory.mktemp("mirror"))
        platform.env |= found.env
        platform.configure(network={"images": {"components": {"valkey": "upstream"}}})
        yield found
        platform.env = before
        platform.configure()


def _blob(image: images.BuiltImage, digest: str) -> bytes:
    return (image.layout / "blobs" / digest.replace(":", "/")).read_bytes()


def test_a_registry_has_to_be_asked_and_its_answer_counts(mirror: Mirror) -> None:
    asked = f"{REFERENCE}: no registry has been asked for it"
    assert mirror.pods() == ("simulated", asked)
    assert mirror.script.asked == []
    assert mirror.pods("--ask") == ("real", f"{mirror.host} has it")
    assert mirror.pulled() == []


def _dies(script: Script) -> None:
    """In the middle of the first layer, for good."""

    def cut(request: Handler) -> bool:
        request.cut()
        return True

    def last(request: Handler, content: bytes, start: int) -> bool:
        if len(content) < A_LAYER:
            return False
        script.guard = cut
        request.part(content, start, start + 1000)
        request.cut()
        return True

    script.always = last


def _flips_a_bit(script: Script) -> None:
    def flipped(request: Handler, content: bytes, start: int) -> bool:
        if len(content) < A_LAYER:
            return False
        request.part(bytes([content[0] ^ 1]) + content[1:], start)
        return True

    script.always = flipped


def _lacks_a_blob(script: Script) -> None:
    def missing(request: Handler, content: bytes, _start: int) -> bool:
        if len(content) < A_LAYER:
            return False
        request.error(404, "BLOB_UNKNOWN")
        return True

    script.always = missing


def _knows_nobody(script: Script) -> None:
    def refused(request: Handler) -> bool:
        request.error(401, "UNAUTHORIZED", {"WWW-Authenticate": "Basic realm=site"})
        return True

    script.guard = refused


@pytest.mark.parametrize(
    ("wrong", "what", "step"),
    [
        (_dies, "cannot be read from", "run it again: completed work is kept"),
        (_flips_a_bit, "does not match its digest", "tell its owner"),
        (_lacks_a_blob, "404 (BLOB_UNKNOWN)", "push the image there again"),
        (_knows_nobody, "refuses the credentials", "docker login {host}"),
    ],
    ids=["dies half way", "a bit flipped", "a blob missing", "a wrong login"],
)
def test_a_pull_that_fails_is_refused_and_changes_nothing(
    mirror: Mirror, wrong: Wrong, what: str, step: str
) -> None:
    before = _pod(mirror.platform)
    (Path(mirror.env["DOCKER_CONFIG"]) / "config.json").write_text(
        json.dumps({"auths": {mirror.host: {"auth": USER}}})
    )
    wrong(mirror.script)
    try:
        refused = mirror.platform.run("up", "-s", mirror.platform.stack)
    finally:
        mirror.script.guard = mirror.script.always = None
    assert refused.returncode != 0, told(refused)
    for part in (what, f"{mirror.host}/{PLACE}", step.format(host=mirror.host)):
        assert part in refused.stderr, told(refused)
    assert mirror.pulled() == []
    after = _pod(mirror.platform)
    assert (after.metadata.uid, after.status) == (before.metadata.uid, before.status)


def test_the_pod_runs_and_status_says_from_where(mirror: Mirror) -> None:
    from kubernetes import client

    mirror.platform.up()
    assert len(mirror.pulled()) == 1
    pod = _pod(mirror.platform)
    assert [each.image for each in pod.spec.containers] == [REFERENCE]
    core: Any = client.CoreV1Api(cluster_client(mirror.platform))
    # a simulated Pod is ready too, but has nothing to say
    assert "Ready to accept connections" in core.read_namespaced_pod_log(*POD)
    status = mirror.platform.json("status", "-s", mirror.platform.stack)
    assert status["problems"] == []
    (found,) = [each for each in status["components"] if each["name"] == "valkey"]
    assert (found["state"], found["why"]) == ("ready", f"{mirror.host} has it")
    assert mirror.pods() == ("real", f"{mirror.host} has it")


def _pod(platform: Platform) -> Any:
    from kubernetes import client

    core: Any = client.CoreV1Api(cluster_client(platform))
    return core.read_namespaced_pod(*POD)
