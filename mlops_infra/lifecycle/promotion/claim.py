"""Who moves a model: one run at a time."""

from __future__ import annotations

import os
import secrets
import socket
from collections.abc import Iterator
from contextlib import contextmanager

from mlops_infra.lifecycle.promotion.routes import Routing


class Claim:
    """The claim of this run on one model."""

    def __init__(self, routing: Routing, tenant: str, model: str) -> None:
        self._routing = routing
        self._tenant = tenant
        self._model = model
        self._holder = f"{socket.gethostname()}/{os.getpid()}/{secrets.token_hex(4)}"

    @contextmanager
    def held(self) -> Iterator[None]:
        """Be the only one until the end of the block.

        Raises:
            OperationFailed: another run moves this model.
        """
        self._routing.claim(self._tenant, self._model, self._holder)
        try:
            yield
        finally:
            self._routing.release(self._tenant, self._model, self._holder)

    def keep(self) -> None:
        """Stay the only one; call this at least every `routes.LEASE_SECONDS`.

        Raises:
            OperationFailed: the claim ran out and is another's now.
        """
        self._routing.keep(self._tenant, self._model, self._holder)
