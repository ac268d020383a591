from __future__ import annotations

import threading
from pathlib import Path

import pytest

from mlops_infra.cluster.embedded import EmbeddedCluster, existing
from mlops_infra.cluster.instance import identity, logs, state
from mlops_infra.cluster.instance.layout import Layout
from mlops_infra.cluster.instance.lock import exclusive
from mlops_infra.cluster.node import footprint
from mlops_infra.cluster.supervision.process import ProcessSpec
from mlops_infra.errors import InputError, OperationFailed
from mlops_infra.progress import quiet


@pytest.fixture
def layout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Layout:
    monkeypatch.setenv("MLOPS_INFRA_DATA", str(tmp_path))
    return Layout.of("one")


def test_names_on_the_machine_fit_and_tell_two_folders_apart(tmp_path: Path) -> None:
    first, second = (Layout("n" * 63, tmp_path / folder) for folder in ("a", "b"))
    assert len(first.link) <= 15
    assert first.link != second.link
    assert first.cgroup != second.cgroup
    assert len(first.cgroup) <= 63


@pytest.mark.parametrize("name", ["", "../x", "A", "a_b", "x" * 64])
def test_a_name_that_is_no_label_is_refused(name: str) -> None:
    with pytest.raises(InputError):
        EmbeddedCluster(name)


def test_a_cluster_that_was_never_started_is_absent(layout: Layout) -> None:
    cluster = EmbeddedCluster("one")
    assert cluster.status().phase == "absent"
    assert existing() == ()
    cluster.stop(quiet)
    cluster.delete(quiet)
    with pytest.raises(InputError, match="cluster one does not exist"):
        _ = cluster.node_address
    assert not layout.folder.exists()


def test_a_torn_file_counts_as_missing(tmp_path: Path) -> None:
    file = tmp_path / "state.json"
    file.write_text('{"phase": "run')
    assert state.read(file) is None
    state.write(file, {"phase": "running"})
    assert state.read(file) == {"phase": "running"}
    assert [f.name for f in tmp_path.iterdir()] == ["state.json"]


def test_life_is_a_lock_not_a_number(tmp_path: Path) -> None:
    file = tmp_path / "lock"
    assert not state.held(file)
    descriptor = state.hold(file)
    assert state.held(file)
    import os

    os.close(descriptor)
    assert not state.held(file)


def test_a_second_command_waits_for_the_first(layout: Layout) -> None:
    order: list[str] = []

    def second() -> None:
        with exclusive(layout, quiet):
            order.append("second")

    with exclusive(layout, quiet):
        thread = threading.Thread(target=second)
        thread.start()
        with (
            pytest.raises(OperationFailed, match="another command"),
            exclusive(layout, quiet, patience=0.05),
        ):
            pass
        order.append("first")
    thread.join()
    assert order == ["first", "second"]
    assert not layout.folder.parent.exists()


def test_the_plan_of_a_process_survives_the_file(tmp_path: Path) -> None:
    spec = ProcessSpec("etcd", ("etcd", "--x"), {"A": "1"}, needs=("tcp:127.0.0.1:1",))
    state.write(tmp_path / "f", spec.as_dict())
    assert ProcessSpec.from_dict(state.read(tmp_path / "f") or {}) == spec


def test_identity_is_kept(layout: Layout) -> None:
    layout.folder.mkdir(parents=True)
    known = identity.Identity("one", simulated=True, ports=(1, 2, 3), created=5.0)
    state.write(layout.identity, known.as_dict())
    assert identity.load(layout) == known
    assert known.server == "https://127.0.0.1:1"
    assert existing() == ("one",)


def test_logs_are_bounded_and_go_on(tmp_path: Path) -> None:
    log = tmp_path / "etcd.log"
    with log.open("ab", buffering=0) as writer:
        writer.write(b"x" * 100)
        logs.rotate(tmp_path, limit=50)
        writer.write(b"new\n")
    assert log.read_bytes() == b"new\n"
    assert (tmp_path / "etcd.log.1").read_bytes() == b"x" * 100


def test_the_reason_of_a_failure_is_found_among_chatter(tmp_path: Path) -> None:
    log = tmp_path / "kubelet.log"
    chatter = [f"I1121 10:00:00 x.go:{n}] all is well" for n in range(30)]
    reason = 'E1121 10:00:01 run.go:72] "command failed" err="port taken"'
    log.write_text("\n".join([*chatter[:20], reason, *chatter[20:]]) + "\n")
    assert logs.telling(log) == [reason]
    assert logs.telling(tmp_path / "none.log") == []


def test_a_footprint_names_what_is_new() -> None:
    before = footprint.Footprint(links=frozenset({"lo"}))
    after = footprint.Footprint(links=frozenset({"lo", "mi1"}), mounts=frozenset({"m"}))
    assert footprint.difference(before, after) == ("mounts: m", "links: mi1")
    assert footprint.difference(after, before) == ()


def test_a_cluster_whose_own_code_has_moved_is_started_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An older program started it: what ends in it could not be started again."""
    from mlops_infra.cluster.bring_up import outdated

    layout = Layout("old", tmp_path)
    stopped: list[str] = []
    monkeypatch.setattr(outdated.control, "stop", lambda one, **_: stopped.append(one.name))
    boot = "from mlops_infra.cluster.{} import main; main()"
    for module, renewed in (("control_plane.volume_provisioner", False), ("provisioner", True)):
        child = {"name": "local-path-provisioner", "argv": ["python", "-c", boot.format(module)]}
        state.write(layout.plan, {"children": [child]})
        assert outdated.renew(layout, quiet) is renewed
    assert stopped == ["old"]
