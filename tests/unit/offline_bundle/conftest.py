from __future__ import annotations

from pathlib import Path

import pytest

from offline_bundle.sealing import keys
from tests.bundles import Maker
from tests.registries import incompressible


@pytest.fixture(scope="session")
def key(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A private key; its public half lies beside it as `key.pub`."""
    folder = tmp_path_factory.mktemp("keys")
    keys.generate(folder / "key", folder / "key.pub", phrase=None)
    return folder / "key"


@pytest.fixture
def public(key: Path) -> Path:
    return key.with_name("key.pub")


SHARED = incompressible(300_000, 1)


def fill(maker: Maker, *, top: bytes = b"top layer") -> Maker:
    """Two images that share a layer, and one file of each other kind."""
    maker.image("registry.example/ml/server:1", [SHARED, b"server"])
    maker.image("registry.example/ml/worker:1", [SHARED, top])
    maker.file("wheels/simple/click/click-8.1.7-py3-none-any.whl", b"a wheel")
    maker.file("plugins/pulumi-resource-random-v1.0.0-linux-amd64.tar.gz", b"a plugin")
    maker.file("binaries/helm-v3.19.0-linux-amd64", b"a program")
    return maker


@pytest.fixture
def bundle(tmp_path: Path, key: Path) -> Path:
    maker = fill(Maker(tmp_path / "bundle"))
    maker.seal(key)
    return maker.folder
