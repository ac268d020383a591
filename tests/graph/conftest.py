"""The graphs of the example stacks, each recorded once."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.graph.recording import Graph, record

AUTHORITY = """\
Subject: the site's own
-----BEGIN CERTIFICATE-----
bm90IGEgcmVhbCBvbmU=
-----END CERTIFICATE-----
"""
SEED = "a-seed-that-is-only-for-tests-0123456789"
ROOT = Path(__file__).resolve().parent.parent.parent


def settings(stack: str) -> dict[str, Any]:
    """What the stack's file says, keys without namespace."""
    text = (ROOT / "stacks" / f"Pulumi.{stack}.yaml").read_text(encoding="utf-8")
    return {key.partition(":")[2]: value for key, value in yaml.safe_load(text)["config"].items()}


@pytest.fixture(scope="session", autouse=True)
def surroundings(tmp_path_factory: pytest.TempPathFactory) -> Any:
    folder = tmp_path_factory.mktemp("graph")
    (folder / "seed").write_text(SEED)
    (folder / "secret").write_text("from-a-file\n")
    (folder / "ca.pem").write_text(AUTHORITY)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MLOPS_INFRA_SEED_FILE", str(folder / "seed"))
        patch.setenv("MLOPS_INFRA_NODE_ADDRESS", "10.231.0.2")
        patch.setenv("MLOPS_INFRA_DATA", str(folder / "data"))
        for name in ("MLFLOW_DB_USERNAME", "EDGE_CLIENT_SECRET", "REGISTRY_USERNAME"):
            patch.setenv(name, "the-site's-own")
        yield folder


@pytest.fixture(scope="session")
def graph(surroundings: Path) -> Callable[..., Graph]:
    from stacks.program import program

    known: dict[str, Graph] = {}

    def get(stack: str, **changes: Any) -> Graph:
        config = {**settings(stack), **changes}
        for keys in config.get("secrets", {}).values():
            for reference in keys.values():
                if "file" in reference:
                    reference["file"] = str(surroundings / "secret")
        if "ca" in config.get("network", {}):
            config["network"]["ca"] = str(surroundings / "ca.pem")
        key = f"{stack} {changes}"
        if key not in known:
            known[key] = record(program, stack=stack, config=config)
        return known[key]

    return get
