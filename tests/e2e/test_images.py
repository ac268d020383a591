"""What the images hold runs for real, and two builds of one recipe are the same to the bit."""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from mlops_infra import images, places
from mlops_infra.progress import quiet
from tests import made
from tests.e2e import image_roots
from tests.e2e.image_roots import run

root = pytest.mark.skipif(os.geteuid() != 0, reason="entering an image needs root")

BUILD = """
import datetime, os, sys, time
shift = float(sys.argv[1])
true_time, true_ns = time.time, time.time_ns
time.time = lambda: true_time() + shift
time.time_ns = lambda: true_ns() + int(shift * 1e9)
class Moved(datetime.datetime):
    @classmethod
    def now(cls, tz=None):
        return cls.fromtimestamp(time.time(), tz)
datetime.datetime = Moved
os.umask(int(sys.argv[2], 8))
from mlops_infra import images, places
from mlops_infra.progress import quiet
assert places.project().name == "checkout"
for name in sys.argv[3:]:
    built = images.build(name, quiet)
    assert not built.cached
    print(name, built.reference, built.digest, built.sbom)
"""
"""Builds as it would on another day; what it starts sees the true clock but another zone."""


PROGRAM = (
    *("mlops_infra", "offline_bundle", "stacks", "charts", "recipes", "go"),
    *("Pulumi.yaml", "pyproject.toml", "LICENSE"),
)


def rebuilt(folder: Path, names: tuple[str, ...], shift: float, umask: str, **env: str) -> str:
    """Build by a copy of the program, in a new cache that shares only packages and tools."""
    cache, home, temporary = (folder / part for part in ("cache", "home", "tmp"))
    checkout = folder / "checkout"
    for part in PROGRAM:
        source = places.project() / part
        copy = shutil.copytree if source.is_dir() else shutil.copy
        checkout.mkdir(parents=True, exist_ok=True)
        copy(source, checkout / part)
    for path in (cache, home, temporary):
        path.mkdir(parents=True)
    for shared in ("packages", "toolchain"):
        (places.cache() / shared).mkdir(parents=True, exist_ok=True)
        (cache / shared).symlink_to(places.cache() / shared)
    environment = {
        **os.environ,
        "HOME": str(home),
        "TMPDIR": str(temporary),
        "MLOPS_INFRA_CACHE": str(cache),
        "PYTHONPATH": str(checkout),
        **env,
    }
    done = subprocess.run(
        [sys.executable, "-c", BUILD, str(shift), umask, *names],
        env=environment,
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return done.stdout


STORM = pytest.mark.skipif("MLOPS_INFRA_STORM" not in os.environ, reason="make storm")


# MLflow's image and the runtime are made as the one of `kserve-storage` is, of far more packages:
# minutes that only the storm takes.
@pytest.mark.parametrize(
    "names",
    [
        ("coredns", "node", "pause", "postgresql", "valkey", "versitygw", "kserve-storage"),
        pytest.param(("mlflow",), marks=STORM),
        pytest.param(("runtime",), marks=STORM),
    ],
    ids=lambda names: "+".join(names),
)
def test_two_builds_on_different_days_are_the_same_to_the_bit(
    names: tuple[str, ...], tmp_path: Path
) -> None:
    images.build_many(names, quiet)  # so that both share packages and tools that are there
    one = rebuilt(tmp_path / "one", names, 0, "022", LC_ALL="C", TZ="UTC", PYTHONHASHSEED="1")
    other = rebuilt(
        tmp_path / "the other's",
        names,
        400 * 86400,
        "077",
        LC_ALL="ko_KR.UTF-8",
        TZ="Asia/Seoul",
        PYTHONHASHSEED="77",
    )
    assert one == other


@pytest.mark.parametrize("name", made.usual())
def test_a_layout_is_whole_and_its_bill_of_materials_refers_to_it(name: str) -> None:
    require_whole(name)


def require_whole(name: str) -> None:
    """The image `name` is what its index and its bill of materials say."""
    built = images.build(name, quiet)
    for file in (built.layout / "blobs" / "sha256").iterdir():
        with file.open("rb") as reader:
            assert hashlib.file_digest(reader, "sha256").hexdigest() == file.name
    index: dict[str, Any] = json.loads((built.layout / "index.json").read_bytes())
    image, bill = index["manifests"]
    assert image["digest"] == built.digest
    assert image["annotations"]["io.containerd.image.name"] == built.reference
    assert bill["digest"] == built.sbom
    referrer: Any = image_roots.blob(built, built.sbom)
    assert referrer["subject"]["digest"] == built.digest
    document: Any = image_roots.blob(built, referrer["layers"][0]["digest"])
    assert document["specVersion"] == "1.6"
    kinds = {component["purl"].split("/")[0] for component in document["components"]}
    assert kinds <= {"pkg:deb", "pkg:pypi", "pkg:golang", "pkg:generic"}
    assert kinds
    labels: Any = image_roots.settings(built)["Labels"]
    assert labels["org.opencontainers.image.title"] == name


def test_images_on_one_base_share_its_layers() -> None:
    layers = {}
    for name in ("mlflow", "runtime"):
        built = images.build(name, quiet)
        manifest: Any = image_roots.blob(built, built.digest)
        layers[name] = [layer["digest"] for layer in manifest["layers"]]
    assert layers["mlflow"][:2] == layers["runtime"][:2]


@root
def test_the_node_has_what_kubelet_and_plugins_call(tmp_path: Path) -> None:
    said = run(
        "node",
        """
        containerd --version; runc --version; ctr --version
        /usr/bin/mount --version; /usr/bin/nsenter --version; kmod --version
        conntrack --version; nft --version; /usr/bin/ip -V
        iptables-save --version
        for tables in iptables ip6tables; do
          $tables -w -t nat -N KUBE-MARK
          $tables -w -t nat -A KUBE-MARK -m comment --comment note -j MARK --or-mark 0x4000
          $tables -w -t nat -A POSTROUTING -m mark ! --mark 0x4000/0x4000 -j RETURN
          $tables -w -t nat -A POSTROUTING -j MASQUERADE --random-fully
        done
        """,
        tmp_path,
        as_root=True,
    )
    assert "containerd" in said
    assert "runc version" in said


@root
def test_pause_waits_for_the_signal(tmp_path: Path) -> None:
    built = images.build("pause", quiet)
    images.unpack(built, tmp_path / "pause")
    entrypoint: Any = image_roots.settings(built)["Entrypoint"]
    with subprocess.Popen(
        ["chroot", "--userspec=65535:65535", str(tmp_path / "pause"), *entrypoint]
    ) as process:
        with pytest.raises(subprocess.TimeoutExpired):
            process.wait(0.5)
        process.terminate()
        assert process.wait(5) == 0


@root
def test_postgresql_makes_a_database_and_answers(tmp_path: Path) -> None:
    said = run(
        "postgresql",
        """
        initdb --auth=trust --encoding=UTF8 --locale=C --locale-provider=builtin \
          --builtin-locale=C.UTF-8 --data-checksums >/dev/null
        pg_ctl --wait --silent --log=/tmp/log start || { cat /tmp/log; exit 1; }
        psql -At -h localhost -d postgres -c 'create extension pgcrypto' \
          -c "select upper('é'), encode(digest('a', 'sha256'), 'hex')" \
          -c "select '2026-11-21 12:00+09'::timestamptz at time zone 'Asia/Seoul'" \
          -c "create collation korean (provider = icu, locale = 'ko-KR')"
        pg_ctl --mode=fast --silent stop
        id -u; postgres --version
        """,
        tmp_path,
    )
    assert "É|ca978112ca1bbdcafac231b39a23dc4da786eff8147c4e72b9807785afee48bb" in said
    assert "2026-11-21 12:00:00" in said
    assert "\n999\n" in said


@root
def test_valkey_answers_with_its_password_only(tmp_path: Path) -> None:
    said = run(
        "valkey",
        """
        valkey-server --requirepass secret --daemonize yes --logfile /tmp/log >/dev/null
        until valkey-cli ping >/dev/null 2>&1; do sleep 0.1; done
        valkey-cli ping
        REDISCLI_AUTH=secret valkey-cli ping
        """,
        tmp_path,
    )
    assert "NOAUTH" in said
    assert "PONG" in said


@root
def test_versitygw_and_coredns_are_static_and_answer(tmp_path: Path) -> None:
    said = run(
        "versitygw",
        """
        mkdir -p /data/meta /data/objects
        ROOT_ACCESS_KEY=a ROOT_SECRET_KEY=b versitygw --port 127.0.0.1:7070 --health /healthz \
          posix --sidecar /data/meta /data/objects >/tmp/log 2>&1 &
        for try in $(seq 50); do wget -qO- http://127.0.0.1:7070/healthz && break; sleep 0.1; done
        """,
        tmp_path,
    )
    assert "OK" in said
    assert "CoreDNS-" in run("coredns", "coredns -version", tmp_path)


@root
def test_prometheus_and_alertmanager_are_ready_without_their_web_interfaces(tmp_path: Path) -> None:
    said = run(
        "prometheus",
        """
        echo 'scrape_configs: []' >/tmp/p.yml
        prometheus --config.file=/tmp/p.yml --storage.tsdb.path=/tmp/data \
          --web.listen-address=127.0.0.1:9090 >/tmp/log 2>&1 &
        for try in $(seq 50); do wget -qO- http://127.0.0.1:9090/-/ready && break; sleep 0.1; done
        """,
        tmp_path,
    )
    assert "Ready" in said
    said = run(
        "alertmanager",
        """
        echo '{route: {receiver: none}, receivers: [{name: none}]}' >/tmp/a.yml
        alertmanager --config.file=/tmp/a.yml --storage.path=/tmp/data --cluster.listen-address= \
          --web.listen-address=127.0.0.1:9093 >/tmp/log 2>&1 &
        for try in $(seq 50); do wget -qO- http://127.0.0.1:9093/-/ready && break; sleep 0.1; done
        wget -qO- http://127.0.0.1:9093/
        """,
        tmp_path,
    )
    assert "OK" in said
    assert "no web interface" in said


@root
def test_the_executor_tells_how_a_step_ended_and_passes_signals_on(tmp_path: Path) -> None:
    """The part of it that the published module lacks is ours."""
    said = run(
        "argo-executor",
        """
        mkdir -p /var/run/argo
        echo '{"name":"x","container":{"name":"main","image":"x"}}' >/var/run/argo/template
        export ARGO_CONTAINER_NAME=main
        argoexec emissary -- sh -c '(sleep 0.1 &); sleep 0.3; exit 3' || echo "ended with $?"
        (sleep 1; printf 15 >/var/run/argo/ctr/main/signal) &
        argoexec emissary -- sleep 20 || echo "ended with $?"
        """,
        tmp_path,
        as_root=True,
    )
    assert re.findall(r"^ended with (.*)$", said, re.MULTILINE) == ["3", "143"]


@root
def test_mlflow_starts_from_compiled_files_on_a_root_it_cannot_write(tmp_path: Path) -> None:
    said = run(
        "mlflow",
        """
        python3 - <<'END'
import boto3, flask_wtf, mlflow, prometheus_flask_exporter, psycopg2, ssl, sys
import os
known = [vars(module) for module in list(sys.modules.values())]
pairs = [(m.get('__file__'), m.get('__cached__')) for m in known]
uncompiled = [f for f, c in pairs if f and c and f.endswith('.py') and not os.path.exists(c)]
print('uncompiled', uncompiled, mlflow.__version__)
print('authorities', ssl.create_default_context().cert_store_stats()['x509_ca'] > 100)
END
        mlflow server --host 127.0.0.1 --workers 1 \
          --backend-store-uri sqlite:////tmp/m.db >/tmp/log 2>&1 &
        for try in $(seq 600); do
          wget -qO- http://127.0.0.1:5000/health 2>/dev/null && break; sleep 0.2
        done
        """,
        tmp_path,
    )
    assert "uncompiled [] 3.17.2" in said
    assert "authorities True" in said
    assert "OK" in said
