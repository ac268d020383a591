"""Who may call MLflow by which name: addresses by networks, names in any case."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path
from typing import Any

import pytest

from mlops_infra import places
from tests.unit.charts.files import loaded

_FILE = places.project() / "charts" / "mlflow" / "files" / "allowed_hosts.py"
ALLOWED = [
    *("mlflow", "mlflow:*", "mlflow.mlflow.svc", "mlflow.mlflow.svc:*", "localhost", "localhost:*"),
    *("10.0.0.0/8", "192.168.0.0/16", "fc00::/7", "*.ml.example.com", "ui.example.com:8080"),
    *("999.0.0.0/8", "8.8.8.8", "172.16.*"),
]


@pytest.fixture
def module(monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setattr(sys, "meta_path", list(sys.meta_path))
    return loaded(_FILE)


@pytest.mark.parametrize(
    "host",
    [
        *("mlflow", "mlflow:5000", "LOCALHOST:5000", "MLFLOW.mlflow.SVC", "10.1.2.3", "8.8.8.8"),
        *("10.1.2.3:5000", "[fd00::1]:5000", "a.ML.example.com", "ui.example.com:8080"),
    ],
)
def test_its_own_names_and_addresses_are_taken(module: Any, host: str) -> None:
    assert module.is_allowed(ALLOWED, host)


@pytest.mark.parametrize(
    "host",
    [
        *("", "evil.example", "10.1.2.3.evil.example", "192.168.1.2.evil.example:5000", "11.1.2.3"),
        *(
            "10.evil.example",
            "10.1.2.3:x",
            "10.1.2",
            "ui.example.com",
            "ml.example.com.evil.example",
        ),
        *("mlflow.evil.example", "mlflow:5000.evil.example", "[::1]", "172.16.1.1", "8.8.8.8:53"),
        "172.16.evil.example.org",
    ],
)
def test_what_only_looks_like_them_is_refused(module: Any, host: str) -> None:
    assert not module.is_allowed(ALLOWED[:-1] if "172" in host else ALLOWED, host)


def test_it_takes_the_place_of_the_servers_own_rule(
    module: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package = tmp_path / "fake_server"
    package.mkdir()
    (package / "__init__.py").write_text("")
    (package / "security.py").write_text("def rule(allowed, host):\n    return True\n")
    monkeypatch.syspath_prepend(tmp_path)
    sys.meta_path.insert(0, module.Patch("fake_server.security", "rule", module.is_allowed))
    security = importlib.import_module("fake_server.security")
    assert not security.rule(ALLOWED, "evil.example")
    sys.modules.pop("fake_server.security")
    sys.meta_path.insert(0, module.Patch("fake_server.security", "gone", module.is_allowed))
    with pytest.raises(ImportError, match="has no gone any more"):
        importlib.import_module("fake_server.security")


def test_the_server_still_has_the_function_that_is_replaced(module: Any) -> None:
    folder = Path(importlib.util.find_spec("mlflow").origin or "").parent  # type: ignore[union-attr]
    rule = (folder / "server" / "security_utils.py").read_text("utf-8")
    assert module.MODULE == "mlflow.server.security_utils"
    assert f"def {module.FUNCTION}(allowed_hosts: list[str], host: str) -> bool:" in rule
