"""What the gateway is told by its environment."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from mlops_infra import contract
from mlops_infra.errors import InputError


@dataclass(frozen=True, slots=True)
class Settings:
    """Limits, and where the services are. PostgreSQL is told by libpq's own PG… variables."""

    host: str = "0.0.0.0"  # noqa: S104 - a Pod's own address is not known before it starts
    port: int = 8080
    grpc_port: int = 9000
    metrics_port: int = 9090
    """For Prometheus alone: figures of all tenants are no tenant's business."""
    tokens: Path = Path("/run/secrets/gateway-tokens")
    """Folder with one file for each tenant."""
    store: str = "redis://localhost:6379"
    """The key-value store with the routes."""
    store_password: str | None = field(default=None, repr=False)
    servers: str = ""
    """What the names of a tenant's model servers end in, with {tenant}; empty: any server. Tenants
    write their own routes, and the gateway reaches the servers of all."""
    database: str = ""
    """libpq's keywords beside the PG… variables."""
    log: bool = True
    """Whether predictions are written to the database."""
    body_bytes: int = 4 << 20
    """The longest request."""
    logged_bytes: int = 256 << 10
    """Longer requests and answers are logged without their content."""
    log_rows: int = 10_000
    """Rows that may wait for the database."""
    in_flight: int = 512
    """Requests at once; more are told to come again."""
    shadows: int = 64
    """Requests that a shadow may be behind before it misses some."""
    grace: float = 20.0
    """Seconds between SIGTERM and the end."""

    @property
    def stop_seconds(self) -> float:
        """Half of the grace: for calls and shadows under way; the other half is the log's."""
        return self.grace / 2


def from_environment(environment: Mapping[str, str] = os.environ) -> Settings:
    """Read `MLOPS_INFRA_GATEWAY_…` and VALKEY_PASSWORD.

    Raises:
        InputError: a number is not one, or LOG is neither true nor false.
    """
    plain = Settings()
    get = environment.get
    return Settings(
        host=get(f"{contract.GATEWAY_SETTINGS}HOST", plain.host),
        port=_number(environment, "PORT", plain.port),
        grpc_port=_number(environment, "GRPC_PORT", plain.grpc_port),
        metrics_port=_number(environment, "METRICS_PORT", plain.metrics_port),
        tokens=Path(get(f"{contract.GATEWAY_SETTINGS}TOKENS", str(plain.tokens))),
        store=get(f"{contract.GATEWAY_SETTINGS}STORE", plain.store),
        store_password=get("VALKEY_PASSWORD") or None,
        servers=get(f"{contract.GATEWAY_SETTINGS}SERVERS", ""),
        database=get(f"{contract.GATEWAY_SETTINGS}DATABASE", ""),
        log=_switch(environment, "LOG", plain.log),
        body_bytes=_number(environment, "BODY_BYTES", plain.body_bytes),
        logged_bytes=_number(environment, "LOGGED_BYTES", plain.logged_bytes),
        log_rows=_number(environment, "LOG_ROWS", plain.log_rows),
        in_flight=_number(environment, "IN_FLIGHT", plain.in_flight),
        shadows=_number(environment, "SHADOWS", plain.shadows),
        grace=_number(environment, "GRACE_SECONDS", int(plain.grace)),
    )


def _switch(environment: Mapping[str, str], name: str, plain: bool) -> bool:
    text = environment.get(f"{contract.GATEWAY_SETTINGS}{name}", str(plain))
    if text.lower() not in ("true", "false", "1", "0"):
        raise InputError(f"{contract.GATEWAY_SETTINGS}{name} is '{text}'", hint="true or false")
    return text.lower() in ("true", "1")


def _number(environment: Mapping[str, str], name: str, plain: int) -> int:
    text = environment.get(f"{contract.GATEWAY_SETTINGS}{name}", str(plain))
    if not text.isdecimal() or int(text) < 1:
        raise InputError(
            f"{contract.GATEWAY_SETTINGS}{name} is '{text}'", hint=f"a whole number such as {plain}"
        )
    return int(text)
