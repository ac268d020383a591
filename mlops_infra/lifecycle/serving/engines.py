"""The model servers that a stack has, and which one serves which model of a tenant."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field

from mlops_infra import contract
from mlops_infra.errors import InputError
from mlops_infra.lifecycle.services.kubernetes_objects import Cluster
from mlops_infra.lifecycle.serving.interface import Serving
from mlops_infra.lifecycle.serving.kserve import KServe
from mlops_infra.lifecycle.serving.seldon import Loader, Seldon

KSERVE, SELDON = "kserve", "seldon-core"
_UP = "mlops-infra up -s STACK"


@dataclass(frozen=True, slots=True)
class Engines:
    """What the plan says about the serving of one tenant's models."""

    there: tuple[str, ...]
    """Components that serve models."""
    default: str | None
    """For models that name none; None where the stack has no model server."""
    models: Mapping[str, str] = field(default_factory=dict)
    """Those of models that name one."""
    loader: Loader | None = None
    """Fetches models for Seldon Core."""

    def of(self, model: str, asked: str | None = None) -> str:
        """The component that is to serve a model.

        Args:
            model: its registered name.
            asked: the component that a person names, instead of the configuration's.

        Raises:
            InputError: the stack does not have it.
        """
        wanted = asked or self.models.get(model, self.default)
        if wanted is None:
            raise InputError(
                "the stack has no model server",
                hint=f"set components.kserve.state: managed, then: {_UP}",
            )
        if wanted not in self.there:
            raise InputError(
                f"the model server '{wanted}' is not deployed",
                where=f"components.{wanted}",
                hint=f"deployed: {', '.join(self.there) or 'none'}",
            )
        return wanted

    def servings(self, cluster: Cluster) -> dict[str, Serving]:
        """Every component that serves models, by name."""
        made: dict[str, Serving] = {}
        if KSERVE in self.there:
            made[KSERVE] = KServe(cluster)
        if SELDON in self.there and self.loader is not None:
            made[SELDON] = Seldon(cluster, self.loader)
        return made


def read(platform: Mapping[str, str], where: str) -> Engines:
    """What the variables of a tenant's Pods say.

    Args:
        platform: the variables: data of ConfigMap `platform`, or the environment of a Pod.
        where: they come from, for messages.

    Raises:
        InputError: they say nothing, or it cannot be read.
    """
    try:
        told = json.loads(platform[contract.SERVING_VARIABLE])
        loader = Loader(told["loader"], told.get("authorities")) if "loader" in told else None
        return Engines(tuple(told["engines"]), told["default"], dict(told["models"]), loader)
    except (KeyError, ValueError, TypeError) as error:
        raise InputError(
            f"{contract.SERVING_VARIABLE} does not tell which model servers there are: {error!r}",
            where=where,
            hint=f"{_UP} of this release writes it",
        ) from error
