"""Settings of the tracking server."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from mlops_infra.config.language.section import Section

HOST_OR_NETWORK = r"^([A-Za-z0-9.*:\[\]_-]+|[0-9A-Fa-f.:]+/[0-9]{1,3})$"


class MlflowSettings(Section):
    """Settings of the tracking server."""

    workers: Annotated[int, Field(ge=1, le=16)] = 1
    """Server processes; each takes about 250 MB."""
    auth: bool = False
    """Require a user name and password (MLflow basic auth)."""
    allowed_hosts: tuple[Annotated[str, Field(pattern=HOST_OR_NETWORK)], ...] = ()
    """Additional host names (`*` stands for any text) and networks (`10.0.0.0/8`) for clients,
    besides the Service's names and the node's address."""
    artifact_prefix: Annotated[str, Field(pattern=r"^[A-Za-z0-9._-]+(/[A-Za-z0-9._-]+)*$")] = (
        "artifacts"
    )
    """Artifact folder in the bucket."""
