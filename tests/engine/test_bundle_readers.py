"""Other people's programs on a bundle: in its folder, and through `serve`. Nothing is told to them
that their manuals do not say; what a manifest is, is compared with the registry it came from."""

from __future__ import annotations

import hashlib
import http.client
import json
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from mlops_infra import toolchain
from mlops_infra.errors import MlopsError
from mlops_infra.progress import quiet
from offline_bundle import layout, references
from offline_bundle.install.redirects import hosts_toml, mirror
from offline_bundle.push.targets import upstream_path
from offline_bundle.serve import Server
from tests.carried import ARTIFACT, PLUGIN, Carried, bare, carried, say, served
from tests.containerd import containerd, listed
from tests.registries import registry
from tests.tools import go_program

IMAGES = ("single", "multi", "digest-only", "signed")
ALL = (*IMAGES, "artifact")


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Carried]:
    tool("helm")  # renders the chart that is carried
    with carried(tmp_path_factory.mktemp("carried")) as found:
        yield found


@pytest.fixture(scope="module")
def server(bundle: Carried) -> Iterator[Server]:
    with served(bundle.folder) as found:
        yield found


@pytest.fixture
def site(tmp_path: Path) -> Iterator[str]:
    """An empty registry that things are copied into."""
    with registry(tmp_path / "site") as host:
        yield host


def program(name: str) -> Path:
    found = shutil.which(name) if name == "skopeo" else go_program(name)
    if found is None:
        pytest.skip(f"{name} is not on this machine and cannot be compiled here")
    return Path(found)


def tool(name: str) -> Path:
    try:
        return toolchain.ensure((name,), quiet)[name].path
    except MlopsError as error:
        pytest.skip(f"{name} cannot be had here: {error.what}")


def raw(host: str, path: str, target: str) -> str:
    """Digest of the very bytes that a registry gives for a manifest."""
    connection = http.client.HTTPConnection(host, timeout=20)
    kinds = ", ".join(sorted(layout.MANIFEST_TYPES | layout.INDEX_TYPES))
    connection.request("GET", f"/v2/{path}/manifests/{target}", headers={"Accept": kinds})
    reply = connection.getresponse()
    content = reply.read()
    connection.close()
    assert reply.status == 200, content
    return "sha256:" + hashlib.sha256(content).hexdigest()


def test_skopeo_copies_every_kind_out_of_the_folder(bundle: Carried, site: str) -> None:
    skopeo = program("skopeo")
    for name in ALL:
        put = bundle.images[name]
        say(skopeo, "copy", "-q", "--all", "--preserve-digests", "--dest-tls-verify=false",
            f"oci:{bundle.folder}:{put.reference}", f"docker://{site}/{name}:x")  # fmt: skip
        assert raw(site, name, "x") == put.digest


def test_regctl_copies_every_kind_out_of_the_folder(bundle: Carried, site: str) -> None:
    regctl = [program("regctl"), "--host", f"reg={site},tls=disabled"]
    for name in ALL:
        put = bundle.images[name]
        # its grammar knows no slash in the tag of a folder
        where = f"ocidir://{bundle.folder}@{put.digest}"
        say(*regctl, "image", "copy", where, f"{site}/{name}:x")
        assert raw(site, name, "x") == put.digest


def test_crane_pushes_the_whole_folder(bundle: Carried, site: str) -> None:
    crane = program("crane")
    say(crane, "push", "--insecure", "--index", bundle.folder, f"{site}/all:x")
    for name in IMAGES:
        digest = bundle.images[name].digest
        assert raw(site, "all", digest) == digest
        say(crane, "validate", "--insecure", "--remote", f"{site}/all@{digest}")


@pytest.mark.parametrize("name", [*ALL, "signature", "referrer"])
def test_every_manifest_is_served_as_it_was(bundle: Carried, server: Server, name: str) -> None:
    put = bundle.images[name]
    found = references.parse(bundle.served(server.url, put))
    for target in {found.tag or put.digest, put.digest}:
        assert raw(found.host, found.path, target) == put.digest


def test_crane_pulls_and_checks_what_is_served(bundle: Carried, server: Server, site: str) -> None:
    crane = program("crane")
    for name in IMAGES:
        where = bundle.served(server.url, bundle.images[name])
        say(crane, "validate", "--insecure", "--remote", where)
        say(crane, "copy", "--insecure", where, f"{site}/{name}:x")
        assert raw(site, name, "x") == bundle.images[name].digest
    catalog = say(crane, "catalog", "--insecure", bare(server.url)).split()
    assert {"mlops-infra/charts/demo", f"{upstream_path(bundle.origin)}/team/multi"} <= {*catalog}


def test_regctl_finds_what_is_attached(bundle: Carried, server: Server, site: str) -> None:
    regctl = [program("regctl")]
    for host in (site, bare(server.url)):
        regctl += ["--host", f"reg={host},tls=disabled"]
    signed = bundle.images["signed"]
    where = bundle.served(server.url, signed)
    say(*regctl, "image", "copy", "--referrers", "--digest-tags", where, f"{site}/signed:1")
    tag = signed.digest.replace(":", "-") + ".sig"
    assert raw(site, "signed", tag) == bundle.images["signature"].digest
    said = say(*regctl, "artifact", "list", where, "--format", "{{json .Descriptors}}")
    assert [(each["digest"], each["artifactType"]) for each in json.loads(said)] == [
        (bundle.images["referrer"].digest, ARTIFACT)
    ]
    tags = say(*regctl, "tag", "ls", where.rpartition(":")[0]).split()
    assert tags == ["1", tag]


def test_skopeo_copies_every_kind_from_the_server(
    bundle: Carried, server: Server, tmp_path: Path
) -> None:
    skopeo = program("skopeo")
    for name in ALL:
        where = bundle.served(server.url, bundle.images[name])
        say(skopeo, "copy", "-q", "--all", "--preserve-digests", "--src-tls-verify=false",
            f"docker://{where}", f"oci:{tmp_path / 'out'}:{name}")  # fmt: skip
    listed = json.loads((tmp_path / "out" / layout.INDEX).read_bytes())["manifests"]
    assert [each["digest"] for each in listed] == [bundle.images[name].digest for name in ALL]


def test_containerd_imports_the_folder(bundle: Carried, tmp_path: Path) -> None:
    tar = tmp_path / "layout.tar"
    say("tar", "-C", bundle.folder, "-cf", tar, layout.OCI_LAYOUT, layout.INDEX, layout.BLOBS)
    with containerd(tmp_path) as ctr:
        say(*ctr, "import", "--all-platforms", "--no-unpack", tar)
        found = listed(ctr)
    for name in ALL:
        assert found[bundle.images[name].reference] == bundle.images[name].digest


def test_containerd_pulls_by_the_upstream_names(
    bundle: Carried, server: Server, tmp_path: Path
) -> None:
    there = tmp_path / "certs.d" / bundle.origin
    there.mkdir(parents=True)
    to = mirror(server.url, plain_http=True)
    (there / "hosts.toml").write_text(hosts_toml(bundle.origin, to))
    with containerd(tmp_path) as ctr:
        for name in IMAGES:
            put = bundle.images[name]
            say(*ctr, "pull", "--hosts-dir", tmp_path / "certs.d", "--snapshotter", "native",
                put.reference)  # fmt: skip
            assert listed(ctr)[put.reference] == put.digest


@pytest.mark.parametrize("way", ["folder", "pages", "server", "links", "uv"])
def test_wheels_install_with_what_they_need(
    bundle: Carried, server: Server, tmp_path: Path, way: str
) -> None:
    wheels = bundle.folder / layout.WHEELS
    pip = [
        sys.executable,
        "-m",
        "pip",
        "--isolated",
        "install",
        "-q",
        "--disable-pip-version-check",
    ]
    ways = {
        "folder": [*pip, "--no-index", "--find-links", wheels],
        "pages": [*pip, "--index-url", f"file://{wheels}/simple"],
        "server": [*pip, "--index-url", f"{server.url}/simple/"],
        "links": [*pip, "--no-index", "--find-links", f"{server.url}/wheels/"],
        "uv": [Path(sys.executable).with_name("uv"), "pip", "install", "-q", "--no-config",
               "--no-cache", "--index-url", f"{server.url}/simple/"],
    }  # fmt: skip
    say(*ways[way], "--target", tmp_path / "site", "demo-top")
    assert (tmp_path / "site" / "demo_base.py").read_text() == "VERSION = '2.5'\n"


def test_helm_pulls_a_chart(bundle: Carried, server: Server, tmp_path: Path) -> None:
    chart = f"oci://{bare(server.url)}/mlops-infra/charts/demo"
    say(tool("helm"), "pull", chart, "--version", "0.3.1+b2", "--plain-http", "-d", tmp_path)
    assert "kind: ConfigMap" in say(tool("helm"), "template", tmp_path / "demo-0.3.1+b2.tgz")


@pytest.mark.parametrize("way", ["--file", "--server"])
def test_pulumi_installs_a_plugin(
    bundle: Carried, server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, way: str
) -> None:
    pulumi = tool("pulumi")
    monkeypatch.setenv("PULUMI_HOME", str(tmp_path))
    monkeypatch.setenv("PULUMI_SKIP_UPDATE_CHECK", "true")
    name, version, file = PLUGIN
    from_where = bundle.folder / "plugins" / file if way == "--file" else f"{server.url}/plugins"
    say(pulumi, "plugin", "install", "resource", name, version, way, from_where)
    assert (tmp_path / "plugins" / f"resource-{name}-v{version}" / "pulumi-resource-demo").is_file()
