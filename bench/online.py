"""Measures a model that serves in the cluster: gateway, KServe's Pod, and when a second Pod comes.

Next to it the bare MLServer, from the same image and with the same files, as a process of this
machine on one core: the Pod's limit is one CPU too.
`python -m bench.online STACK` measures a stack that is up and verified.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from bench.bare import mlserver
from bench.commands import MeasureError
from bench.load import Asked, Load, load
from bench.scaling import scaled
from mlops_infra.lifecycle.promotion.access import Access
from mlops_infra.lifecycle.verify.tour_data import request, rows

LANES, SECONDS, ROWS = 4, 15.0, 1
TENANT, MODEL = "demo", "wine"


def measure(stack: str, env: dict[str, str]) -> Iterator[dict[str, float]]:
    """Figures of the champion of `demo/wine`, which `verify` has left serving, as they are found.

    Raises:
        MeasureError: it does not serve, or no second Pod comes under load.
    """
    access = _access(stack, env)
    if access.gateway is None:
        raise MeasureError(f"{stack} has no model gateway")
    registry = access.registry
    version = registry.alias(MODEL, "champion")
    if version is None:
        raise MeasureError(f"{TENANT}/{MODEL} has no champion: verify leaves one")
    body = json.dumps(request(rows(ROWS))).encode()
    url, token = access.gateway.url, access.gateway.token
    through = Asked(url, f"/{TENANT}/v2/models/{MODEL}/infer", body, token)
    with tempfile.TemporaryDirectory(prefix="mlops-infra-bench-") as folder:
        files = Path(folder, "model")
        files.mkdir()
        registry.download(registry.version(MODEL, version), files)
        with mlserver(Path(folder), files, MODEL) as bare:
            yield _both(Asked(bare, f"/v2/models/{MODEL}/infer", body), through)
    events, told = scaled(access, MODEL, version, through, LANES)
    _tell("scale-out", told)
    yield events


def _both(bare: Asked, through: Asked) -> dict[str, float]:
    """One after the other, each alone on the machine but for the platform itself."""
    found: dict[str, float] = {}
    for name, asked in (("bare", bare), ("online", through)):
        load(asked, LANES, SECONDS / 5)  # what is loaded lazily, is loaded now
        told = load(asked, LANES, SECONDS)
        _tell(name, told)
        found |= {
            f"{name}_per_second": told.per_second,
            f"{name}_p50": told.milliseconds(50),
            f"{name}_p99": told.milliseconds(99),
            f"{name}_errors": told.error_share * 100,
        }
    return found


def _access(stack: str, env: dict[str, str]) -> Access:
    """The tenant's clients, as a command of the program opens them."""
    from mlops_infra.cli.open_stack import OpenStack
    from mlops_infra.progress import quiet

    os.environ.update(env)
    return OpenStack(stack, None, quiet).access(TENANT)


def _tell(name: str, told: Load) -> None:
    print(
        f"  {name}: {told.per_second:.0f} answers/s, p50 {told.milliseconds(50):.1f} ms, "
        f"p99 {told.milliseconds(99):.1f} ms, {told.errors} of {len(told.seconds)} failed"
        f" {told.first_error}".rstrip(),
        file=sys.stderr,
        flush=True,
    )


if __name__ == "__main__":
    for some in measure(sys.argv[1], {}):
        print(json.dumps(some, indent=2))
