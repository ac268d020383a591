"""`up` and `down` on clusters, disks and locks that misbehave: one clear cause, one next step."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
import yaml

from mlops_infra.engine import locks
from tests.e2e.platform import Platform, taken_down, told
from tests.engine.conftest import api_server  # noqa: F401 - the fixture of the engine's tier
from tests.engine.control_plane import ControlPlane

STORM = bool(os.environ.get("MLOPS_INFRA_STORM"))
KILLS = 10 if STORM else 3
root = pytest.mark.skipif(os.geteuid() != 0, reason="a real node needs root")


class Lab(Platform):
    """A stack on somebody else's cluster: a real API server with simulated Pods."""

    stack = "lab"

    def __init__(self, folder: Path, kubeconfig: Path) -> None:
        self.data, self.stacks = folder / "data", folder / "stacks"
        self.stacks.mkdir()
        self.env = {"MLOPS_INFRA_DATA": str(self.data), "MLOPS_INFRA_STACKS": str(self.stacks)}
        self._kubeconfig = kubeconfig
        self.configure()

    def configure(self, **changes: Any) -> None:
        config = {
            "profile": "onprem",
            "environment": "lab",
            "cluster": {"kubeconfig": str(self._kubeconfig)},
            "stores": {"object": {"state": "removed"}, "sql": {"state": "removed"}},
            "components": {"mlflow": {"state": "removed"}},
            **changes,
        }
        named = {f"mlops-infra:{key}": value for key, value in config.items()}
        self.file.write_text(json.dumps({"config": named}), encoding="utf-8")

    def refused(self, *words: str) -> dict[str, Any]:
        """The error of a command that must fail, and how long it took."""
        started = time.monotonic()
        done = self.run(*words, "--json")
        assert done.returncode != 0, done.stdout
        error: dict[str, Any] = json.loads(done.stderr.splitlines()[-1])
        assert error["exitCode"] == done.returncode
        return {**error, "seconds": time.monotonic() - started}


@pytest.fixture
def volume(api_server: ControlPlane) -> Iterator[None]:  # noqa: F811
    """Volumes that an administrator made: one for each time that the claim is made anew."""
    spec = {
        "capacity": {"storage": "10Gi"},
        "accessModes": ["ReadWriteOnce"],
        "hostPath": {"path": "/nowhere"},
        "persistentVolumeReclaimPolicy": "Retain",
    }
    names = [f"lab-{number}" for number in range(KILLS + 2)]
    for name in names:
        body = {"apiVersion": "v1", "kind": "PersistentVolume", "metadata": {"name": name}}
        api_server.request("POST", "/api/v1/persistentvolumes", {**body, "spec": spec})
    yield
    for name in names:
        api_server.request("DELETE", f"/api/v1/persistentvolumes/{name}")


@pytest.fixture
def lab(tmp_path: Path, api_server: ControlPlane) -> Iterator[Lab]:  # noqa: F811
    found = Lab(tmp_path, api_server.kubeconfig)
    yield found
    if list((found.data / "state").rglob("lab.json")):
        found.configure()
        down = found.run("down", "-s", "lab", "--purge", "--break-lock")
        assert down.returncode == 0, told(down)
    assert found.processes() == []


def test_an_image_that_cannot_be_pulled_is_named(lab: Lab, volume: None) -> None:
    lab.configure(network={"images": "upstream", "registry": "missing"})
    error = lab.refused("up", "-s", "lab")
    assert error["exitCode"] == 1
    assert "ImagePullBackOff" in error["what"] or "ErrImagePull" in error["what"]
    assert "valkey" in error["what"]
    assert "image" in error["hint"]
    assert error["seconds"] < 90
    lab.configure()
    lab.ok("up", "-s", "lab")


def test_a_missing_storage_class_is_named(lab: Lab) -> None:
    lab.configure(cluster={"kubeconfig": str(lab._kubeconfig), "storageClass": "not-there"})
    error = lab.refused("up", "-s", "lab")
    assert error["exitCode"] == 1
    assert "not-there" in error["what"]
    assert "kubectl get storageclass" in error["hint"]
    assert error["seconds"] < 90


def test_an_unreachable_cluster_is_told_at_once(lab: Lab, tmp_path: Path) -> None:
    document = json.loads(lab._kubeconfig.read_text())
    document["clusters"][0]["cluster"]["server"] = "https://127.0.0.1:9"
    (tmp_path / "away").write_text(json.dumps(document))
    lab.configure(cluster={"kubeconfig": str(tmp_path / "away")})
    error = lab.refused("up", "-s", "lab")
    assert error["exitCode"] == 1
    assert "cannot be reached" in error["what"]
    assert error["seconds"] < 20


@pytest.mark.parametrize(
    ("text", "reason"),
    [(None, "kubeconfig"), ("not a kubeconfig", "kubeconfig"), ("{}", "kubeconfig")],
)
def test_a_wrong_kubeconfig_is_named(
    lab: Lab, tmp_path: Path, text: str | None, reason: str
) -> None:
    file = tmp_path / "wrong"
    if text is not None:
        file.write_text(text)
    lab.configure(cluster={"kubeconfig": str(file)})
    error = lab.refused("up", "-s", "lab")
    assert error["exitCode"] in {1, 2}
    assert reason in error["what"]
    assert str(file) in f"{error['where']} {error['what']}"
    assert error["seconds"] < 20


def test_a_cluster_that_went_away_stops_down_until_it_is_given_up(
    lab: Lab, volume: None, tmp_path: Path
) -> None:
    lab.ok("up", "-s", "lab")
    record = lab.data / "stacks" / "lab" / "stack.json"
    held = record.read_text()
    away = json.loads(lab._kubeconfig.read_text())
    away["clusters"][0]["cluster"]["server"] = "https://127.0.0.1:9"
    (tmp_path / "away").write_text(json.dumps(away))
    record.write_text(json.dumps({**json.loads(held), "kubeconfig": str(tmp_path / "away")}))
    error = lab.refused("down", "-s", "lab")
    assert error["exitCode"] == 1
    assert "--forget-unreachable" in error["hint"]
    assert error["seconds"] < 30
    record.write_text(held)


@pytest.fixture
def small_disk(lab: Lab, tmp_path: Path) -> Iterator[Path]:
    """The data folder of the lab on a disk of its own with room for one run."""
    small = tmp_path / "small"
    small.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=40m", "tmpfs", str(small)], check=True)
    lab.data = small / "data"
    lab.env["MLOPS_INFRA_DATA"] = str(lab.data)
    try:
        yield small
        lab.ok("down", "-s", "lab", "--purge")
    finally:
        subprocess.run(["umount", str(small)], check=True)


@root
def test_a_disk_that_is_full_is_told_before_anything_begins(lab: Lab, small_disk: Path) -> None:
    (small_disk / "ballast").write_bytes(b"x" * 20_000_000)
    error = lab.refused("up", "-s", "lab")
    assert error["exitCode"] == 1
    assert "the disk is full" in error["what"]
    assert error["where"] == str(lab.data)


@root
def test_a_disk_that_fills_meanwhile_is_told_and_up_goes_on(
    lab: Lab, small_disk: Path, volume: None
) -> None:
    child = lab.start("up", "-s", "lab", "--json", stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    _wait_for_lock(lab, child)
    _fill(small_disk / "ballast")
    _, said = child.communicate(timeout=300)
    assert child.returncode == 1, said
    assert "space" in said or "disk" in said, said
    (small_disk / "ballast").unlink()
    lab.ok("up", "-s", "lab")
    assert lab.json("up", "-s", "lab")["counts"] == {}


def _fill(file: Path) -> None:
    with file.open("wb", buffering=0) as stream:
        try:
            while True:
                stream.write(b"x" * 4096)
        except OSError:
            return


def _wait_for_lock(lab: Lab, child: subprocess.Popen[str]) -> None:
    folder = lab.data / "state/.pulumi/locks/organization/mlops-infra/lab"
    ends = time.monotonic() + 120
    while not list(folder.glob("*.json")):
        assert child.poll() is None, "it ended before it took the lock"
        assert time.monotonic() < ends
        time.sleep(0.02)


def _stopped_owner(lab: Lab, child: subprocess.Popen[str]) -> locks.Lock:
    """Who holds the lock, stopped while it does; each preview and each run takes it anew."""
    backend = f"file://{lab.data / 'state'}"
    while True:
        _wait_for_lock(lab, child)
        for owner in locks.held(backend, "lab"):  # none: it is being written
            with suppress(ProcessLookupError):
                os.kill(owner.pid, signal.SIGSTOP)
                if owner in locks.held(backend, "lab") and _state_of(owner.pid) == "T":
                    return owner
                os.kill(owner.pid, signal.SIGCONT)
        time.sleep(0.01)


def _state_of(pid: int) -> str:
    """As /proc has it: `T` is stopped."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return ""


def test_a_lock_of_a_live_run_is_respected_and_explained(lab: Lab, volume: None) -> None:
    child = lab.start("up", "-s", "lab", stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    owner = _stopped_owner(lab, child)  # it would have ended before the other one has begun
    try:
        error = lab.refused("up", "-s", "lab")
    finally:
        os.kill(owner.pid, signal.SIGCONT)
    assert error["error"] == "StackLocked"
    assert "still running" in error["what"]
    assert child.wait(300) == 0


def test_sums_cut_by_a_kill_are_not_needed(lab: Lab, volume: None) -> None:
    """gocloud.dev writes them piece by piece and reads them before the state."""
    lab.ok("up", "-s", "lab")
    state = lab.data / "state" / ".pulumi"
    assert list(state.rglob("*.json")), "there is a state"
    assert list(state.rglob("*.attrs")) == [], "and nothing beside it"
    for name in ("meta.yaml", "stacks/mlops-infra/lab.json", "stacks/mlops-infra/lab.json.bak"):
        (state / f"{name}.attrs").touch()
    assert lab.json("up", "-s", "lab")["counts"] == {}
    # and once more for the `down` that the fixture ends with
    (state / "stacks" / "mlops-infra" / "lab.json.attrs").touch()


def test_ctrl_c_twice_stops_at_once_and_up_goes_on(lab: Lab) -> None:
    """Without a volume the run would wait for minutes: the first Ctrl-C alone cannot end it."""
    child = lab.start("up", "-s", "lab", stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    _wait_for_lock(lab, child)
    time.sleep(3)
    child.send_signal(signal.SIGINT)
    time.sleep(0.5)
    started = time.monotonic()
    child.send_signal(signal.SIGINT)
    _, said = child.communicate(timeout=60)
    assert child.returncode == 130, said
    assert time.monotonic() - started < 15
    assert "Ctrl-C again stops at once" in said
    assert _none_left(lab), lab.processes()
    lab.configure(stores=_none(), allowReplace=["valkey", "platform"])
    lab.ok("up", "-s", "lab")


def test_a_lost_seed_or_passphrase_stops_up_and_not_down(lab: Lab, volume: None) -> None:
    lab.ok("up", "-s", "lab")
    (lab.data / "stacks/lab/seed").unlink()
    error = lab.refused("up", "-s", "lab")
    assert error["exitCode"] == 2
    assert "the seed of stack lab is gone" in error["what"]
    (lab.data / "stacks/lab/passphrase").unlink()
    error = lab.refused("down", "-s", "lab")
    assert "the passphrase is missing" in error["what"]
    lab.ok("down", "-s", "lab", "--purge")


def test_a_storm_of_kills_on_a_plain_cluster(
    lab: Lab,
    volume: None,
    api_server: ControlPlane,  # noqa: F811
) -> None:
    """Each kill meets work to do: the store is there in one round and gone in the next."""
    storm(
        lab,
        rounds=({}, {"stores": _none()}),
        allow={"allowReplace": ["valkey", "platform"]},
        seed=1,
    )
    lab.configure()
    lab.ok("up", "-s", "lab")
    found = api_server.request("GET", "/api/v1/namespaces/mlops-stores/configmaps")["items"]
    names = [each["metadata"]["name"] for each in found]
    assert len([name for name in names if name.startswith("valkey")]) == 1, names


def _none() -> dict[str, Any]:
    return {name: {"state": "removed"} for name in ("object", "sql", "kv")}


@root
@pytest.mark.skipif(not STORM, reason="make storm; one kill of core is in the e2e tier")
@pytest.mark.parametrize(("stack", "component"), [("core", "mlflow"), ("sandbox", "prometheus")])
def test_a_storm_of_kills_on_real_pods(tmp_path: Path, stack: str, component: str) -> None:
    """The first kills meet the creation of all, StatefulSets among it; then one comes and goes."""
    with taken_down(Platform(tmp_path, stack)) as platform:
        asked = yaml.safe_load(platform.example.read_text(encoding="utf-8"))["config"]
        rest = {**asked.get("mlops-infra:components", {}), component: {"state": "removed"}}
        allow = {
            "allowReplace": [component, "platform"],
            "allowRemoval": [f"component/{component}"],
        }
        storm(platform, rounds=({}, {"components": rest}), allow=allow, seed=2)
        platform.configure()
        platform.up()
        platform.settled()
        assert platform.json("status", "-s", stack)["problems"] == []


def storm(
    platform: Platform,
    *,
    rounds: tuple[dict[str, Any], ...],
    allow: dict[str, list[str]],
    seed: int,
) -> None:
    """Kill `up` at random moments; the next `up` must end green every time, with no orphan."""
    chance = random.Random(seed)  # noqa: S311 - moments, not secrets
    length = 30.0
    for number in range(KILLS):
        platform.configure(**rounds[number % len(rounds)], **allow)
        child = platform.start(
            "up", "-s", platform.stack, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        moment = chance.uniform(0.2, length)
        try:
            child.wait(moment)
        except subprocess.TimeoutExpired:
            child.send_signal(signal.SIGKILL)
            child.wait()
        assert _none_left(platform), f"kill {number} at {moment:.1f} s: {platform.processes()}"
        started = time.monotonic()
        done = platform.run("up", "-s", platform.stack, "--json")
        assert done.returncode == 0, f"kill {number} at {moment:.1f} s\n{done.stdout}{done.stderr}"
        length = max(10.0, time.monotonic() - started)


def _none_left(platform: Platform) -> bool:
    ends = time.monotonic() + 5
    while platform.processes():
        if time.monotonic() > ends:
            return False
        time.sleep(0.1)
    return True
