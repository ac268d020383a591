"""tritonclient and MLServer's client against a gateway between a model and its stores."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests import foreign
from tests.engine.gateway_site import Site


@pytest.fixture(scope="session")
def clients(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return foreign.python(tmp_path_factory.mktemp("foreign"))


@pytest.mark.parametrize("which", ["triton_http", "triton_grpc", "mlserver"])
def test_a_foreign_client_gets_what_it_expects(site: Site, clients: Path, which: str) -> None:
    site.serve()
    site.control("1", second=True)
    foreign.run(clients, which, f"127.0.0.1:{site.gateway}", f"127.0.0.1:{site.grpc}")
