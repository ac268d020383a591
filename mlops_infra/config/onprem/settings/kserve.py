"""Settings of model serving by KServe."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from mlops_infra.config.language.section import Section

ImageReference = Annotated[
    str,
    Field(
        pattern=r"^[a-z0-9.-]+(:[0-9]+)?/[a-z0-9._/-]+(:[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}|@sha256:[0-9a-f]{64})$",
        examples=["registry.example/bentos/churn:1.4"],
    ),
]
"""Full reference of a container image with registry and tag or digest."""


class KserveSettings(Section):
    """Settings of model serving by KServe; MLServer is always there, others where asked for."""

    tensorflow: bool = True
    """Offer TensorFlow Serving for models of the format `tensorflow`."""
    triton: bool = False
    """Offer NVIDIA Triton; its image is under NVIDIA's terms, which the licence gate checks."""
    torchserve: bool = False
    """Offer TorchServe. Its repository is archived: no security fixes."""
    bentoml_image: ImageReference | None = None
    """Offer this image, made by `bentoml containerize`, for models of the format `bentoml`."""
    request_agent: bool = False
    """Offer `logger` and `batcher`, a sidecar of the model server."""
    inference_graphs: bool = False
    """Offer InferenceGraphs: a request that goes through several models."""
    replicas: Annotated[int, Field(ge=1, le=5)] = 1
    """Number of controllers; one is active, all serve webhooks."""
