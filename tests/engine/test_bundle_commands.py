"""`mlops-infra bundle` as people type it, with a real registry and one that wants credentials."""

from __future__ import annotations

import base64
import json
import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from mlops_infra import toolchain
from mlops_infra.cli.main import run
from offline_bundle import layout
from tests.engine.fake_kubelet import THREAD as FAKE_KUBELET
from tests.hostile import Handler, Script, serving
from tests.processes import command_lines
from tests.registries import digest, incompressible, put_image, registry

SHARED = incompressible(2 << 20, 7)
CANARY = "canary-5cf1a7"


@pytest.fixture(scope="module")
def host(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with registry(tmp_path_factory.mktemp("registry")) as address:
        yield address


class Typed:
    """Runs commands in one folder and keeps what they said."""

    def __init__(self, capsys: pytest.CaptureFixture[str]) -> None:
        self._capsys = capsys
        self.out = self.err = ""

    def __call__(self, *words: object) -> int:
        code = run(["bundle", *map(str, words)])
        self.out, self.err = self._capsys.readouterr()
        return code

    @property
    def document(self) -> dict[str, object]:
        found: dict[str, object] = json.loads(self.out)
        return found


@pytest.fixture
def typed(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Iterator[Typed]:
    before = Path.cwd()
    os.chdir(tmp_path)
    yield Typed(capsys)
    os.chdir(before)


def test_from_a_reference_to_signed_volumes_and_a_difference(
    typed: Typed, host: str, tmp_path: Path
) -> None:
    labels = {"org.opencontainers.image.licenses": "MIT"}
    first = put_image(host, "team/app", "1", [SHARED, b"one" * 99], labels=labels)
    second = put_image(host, "team/other", "1", [SHARED, b"two" * 99])
    reach = ("--plain-http", host)
    (tmp_path / "notes.txt").write_text("read me")
    given = ("--image", first.reference, "--file", "notes.txt", *reach)
    assert typed("lock", *given) == 0
    assert "1 images, 1 files" in typed.out
    assert typed("key", "site") == 0
    assert (tmp_path / "site.key").stat().st_mode & 0o777 == 0o600
    assert typed("build", "bundle.lock", "-o", "a", "--sign-key", "site.key", *reach) == 0
    assert typed("verify", "a", "--key", "site.pub", "--json") == 0
    assert typed.document["signature"] == "good"
    more = ("--image", second.reference, "-o", "more.lock", *given)
    assert typed("lock", *more) == 0
    sized = ("--since", "a", "--volume-size", "1.5MB")
    assert typed("build", "more.lock", "-o", "b", *sized, *reach) == 0
    assert "in the base only" in typed.out
    assert not layout.blob_file(tmp_path / "b", digest(SHARED)).exists()
    assert typed("diff", "a", "b") == 0
    assert second.reference in typed.out
    assert typed("verify", "b", "--base", "a") == 0
    assert typed("split", "a", "-o", "media", "--volume-size", "1.5MB") == 0
    volumes = sorted((tmp_path / "media").iterdir(), reverse=True)
    assert len(volumes) > 1
    assert typed("verify", *volumes, "--key", "site.pub") == 0
    assert typed("verify", volumes[0], "--partial") == 0
    assert "fetch volume" in typed.out


def test_what_is_inside_is_told_to_people_and_programs(
    typed: Typed, host: str, tmp_path: Path
) -> None:
    labels = {"org.opencontainers.image.licenses": "AGPL-3.0-only"}
    image = put_image(host, "team/agpl", "1", [b"layer" * 99], labels=labels)
    reach = ("--plain-http", host)
    assert typed("lock", "--image", image.reference, *reach) == 0
    assert typed("build", "bundle.lock", "-o", "a", *reach) == 0
    assert typed("inspect", "a", "--html", "page.html") == 0
    assert image.reference in typed.out
    assert image.digest in (tmp_path / "page.html").read_text()
    assert typed("sbom", "a") == 0
    assert typed.document["bomFormat"] == "CycloneDX"
    assert typed("sbom", "a", "--image", image.reference) == 2
    assert typed("licences", "a", "--policy", "any") == 0
    assert typed("licences", "a", "--policy", "permissive") == 3
    assert f"{image.reference}: AGPL-3.0-only" in typed.err


def test_errors_have_their_exit_codes_and_name_the_next_step(
    typed: Typed, host: str, tmp_path: Path
) -> None:
    reach = ("--plain-http", host)
    assert typed("lock") == 2
    assert "--image" in typed.err
    assert typed("build", "none.lock", "-o", "a") == 2
    assert "bundle lock -s STACK" in typed.err
    gone = [word for name in ("x", "y") for word in ("--image", f"{host}/team/{name}:1")]
    assert typed("lock", *gone, *reach) == 1
    assert "2 of 2 images are not available" in typed.err
    for name in ("x", "y"):
        assert f"{host}/team/{name}:1, required by --image" in typed.err
    image = put_image(host, "team/small", "1", [b"layer" * 99])
    assert typed("lock", "--image", image.reference, *reach) == 0
    assert typed("build", "bundle.lock", "-o", "a", *reach) == 0
    assert typed("key", "mine") == 0
    assert typed("verify", "a", "--key", "mine.pub") == 3
    assert "not signed" in typed.err
    assert typed("verify", "a", "--key", "nobody.pub") == 4
    (tmp_path / "a" / "alien").write_text("")
    assert typed("verify", "a") == 3
    assert "alien: not in bundle.json" in typed.err
    assert typed("build", "bundle.lock", "-o", "a", "--volume-size", "big") == 2
    assert "4.7GB" in typed.err


def test_what_a_stack_needs_and_the_bundle_lacks_is_named_without_a_network(
    typed: Typed, host: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if toolchain.locate("helm") is None:
        pytest.skip("helm is not there: mlops-infra toolchain install helm")
    image = put_image(host, "team/small", "1", [b"layer" * 99])
    reach = ("--plain-http", host)
    assert typed("lock", "--image", image.reference, *reach) == 0
    assert typed("build", "bundle.lock", "-o", "a", *reach) == 0
    asked: list[object] = []

    def connect(_socket: socket.socket, address: object) -> None:
        if threading.current_thread().name != FAKE_KUBELET:  # of tests that ran before, at work
            asked.append(address)
        raise OSError("there is no network")

    monkeypatch.setattr(socket.socket, "connect", connect)
    assert typed("verify", "a", "-s", "core") == 3
    assert "the stack needs" in typed.err
    image_line = next(each for each in typed.err.splitlines() if "local/postgresql:" in each)
    assert "required by plan: postgresql/server, pulled at its start, charts/" in image_line
    assert "StatefulSet mlops-stores/postgresql" in image_line
    for words in ("wheel pulumi 3", "chart mlflow", "binary helm v", "for mlflow-skinny"):
        assert words in typed.err
    assert not asked


COMMAND = "from mlops_infra.cli.main import main; main()"


def test_no_credential_is_in_any_file_log_or_process_list(tmp_path: Path) -> None:
    script = Script(rate=4 << 20)
    with serving(script) as host:
        locked = script.image(host, "team/app", [SHARED])
        script.manifests["1"] = script.manifests[locked.digest]
        script.guard = _needs_basic
        config = tmp_path / "docker"
        config.mkdir()
        auth = base64.b64encode(f"me:{CANARY}".encode()).decode()
        (config / "config.json").write_text(json.dumps({"auths": {host: {"auth": auth}}}))
        work = tmp_path / "work"
        work.mkdir()
        said = b""
        for words in (
            ("lock", "--image", f"{host}/team/app:1"),
            ("build", "bundle.lock", "-o", "out"),
        ):
            said += _watched(work, config, *words, "--plain-http", host, "--json", "-v")
    assert b"identity" in said
    assert [headers for _, _, headers in script.asked if "Authorization" in headers]
    left = b"".join(each.read_bytes() for each in work.rglob("*") if each.is_file())
    for secret in (CANARY.encode(), auth.encode()):
        assert secret not in said + left


def _needs_basic(request: Handler) -> bool:
    if "Authorization" in request.headers:
        return False
    request.error(401, "UNAUTHORIZED", {"WWW-Authenticate": 'Basic realm="here"'})
    return True


def _watched(work: Path, config: Path, *words: str) -> bytes:
    """Run a command and read its process list all the while; all that it said."""
    process = subprocess.Popen(
        [sys.executable, "-c", COMMAND, "bundle", *words],
        cwd=work,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        env={
            **os.environ,
            "DOCKER_CONFIG": str(config),
            "MLOPS_INFRA_DATA": str(work / "data"),
            "MLOPS_INFRA_CACHE": str(work / "cache"),
        },
    )
    lists: set[str] = set()
    while process.poll() is None:
        lists.update(command_lines())
        time.sleep(0.05)
    said, _ = process.communicate()
    assert process.returncode == 0, said.decode()
    assert not any(CANARY in each for each in lists)
    return said
