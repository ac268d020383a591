"""The platform as a step or a notebook sees it: environment variables of its Pod.

They come from ConfigMap `platform` and Secrets `object-store` and `mlflow` of the tenant's
namespace; a person at a terminal may set the same names.

| variable | meaning |
|---|---|
| `MLFLOW_TRACKING_URI` | base URL of MLflow, which is also the registry |
| `MLFLOW_TRACKING_USERNAME`, `MLFLOW_TRACKING_PASSWORD` | only where MLflow asks for a login |
| `AWS_ENDPOINT_URL_S3`, `AWS_ACCESS_KEY_ID`, `AWS_SECRET_ACCESS_KEY` | the tenant's object store |
| `MLOPS_INFRA_BUCKET` | the tenant's bucket |
| `MLOPS_INFRA_TENANT` | the tenant's name |
| `MLOPS_INFRA_LINEAGE`, `MLOPS_INFRA_LINEAGE_PASSWORD` | the key-value store of lineage |
| `MLOPS_INFRA_FEATURES` | base URL of the feature server |
| `MLOPS_INFRA_PIPELINES` | base URL of the API server of Kubeflow Pipelines |
| `MLOPS_INFRA_RUNTIME_IMAGE` | the image that steps run in |
| `MLOPS_INFRA_SERVING` | the model servers, and which one serves which model (step `promote`) |
| `MLOPS_INFRA_VALIDATOR` | the validator of step `validate`, such as `tfdv`; `builtin` by default |
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field

from mlops_infra import contract
from mlops_infra.errors import InputError
from mlops_infra.lifecycle.services.credentials import Login

PLATFORM = "platform"
"""ConfigMap in a tenant's namespace: the environment of every Pod that people start."""


@dataclass(frozen=True, slots=True)
class Environment:
    """Where the services are, and how to get in; None where the platform does not tell."""

    tracking_uri: str | None = None
    tracking_login: Login | None = None
    object_endpoint: str | None = None
    objects: Login | None = None
    bucket: str | None = None
    tenant: str | None = None
    lineage_endpoint: str | None = None
    lineage_password: str | None = field(default=None, repr=False)
    features_endpoint: str | None = None
    pipelines_endpoint: str | None = None
    runtime_image: str | None = None
    validator: str = "builtin"

    @classmethod
    def here(cls, environment: Mapping[str, str] | None = None) -> Environment:
        """Read them from the environment of this process."""
        told = os.environ if environment is None else environment

        def get(name: str) -> str | None:
            return told.get(name, "").strip() or None

        def login(name: str, password: str) -> Login | None:
            first, second = get(name), get(password)
            return Login(first, second) if first and second else None

        return cls(
            tracking_uri=get("MLFLOW_TRACKING_URI"),
            tracking_login=login("MLFLOW_TRACKING_USERNAME", "MLFLOW_TRACKING_PASSWORD"),
            object_endpoint=get("AWS_ENDPOINT_URL_S3"),
            objects=login("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"),
            bucket=get(contract.BUCKET_VARIABLE),
            tenant=get(contract.TENANT_VARIABLE),
            lineage_endpoint=get(contract.LINEAGE_VARIABLE),
            lineage_password=get(contract.LINEAGE_PASSWORD_VARIABLE),
            features_endpoint=get(contract.FEATURES_VARIABLE),
            pipelines_endpoint=get(contract.PIPELINES_VARIABLE),
            runtime_image=get(contract.RUNTIME_IMAGE_VARIABLE),
            validator=get(contract.VALIDATOR_VARIABLE) or "builtin",
        )

    def environment(self) -> dict[str, str]:
        """The same as variables, for a process of a step; `here` reads them back."""
        tracking, objects = self.tracking_login, self.objects
        told = {
            "MLFLOW_TRACKING_URI": self.tracking_uri,
            "MLFLOW_TRACKING_USERNAME": tracking.name if tracking else None,
            "MLFLOW_TRACKING_PASSWORD": tracking.password if tracking else None,
            "AWS_ENDPOINT_URL_S3": self.object_endpoint,
            "AWS_ACCESS_KEY_ID": objects.name if objects else None,
            "AWS_SECRET_ACCESS_KEY": objects.password if objects else None,
            contract.BUCKET_VARIABLE: self.bucket,
            contract.TENANT_VARIABLE: self.tenant,
            contract.LINEAGE_VARIABLE: self.lineage_endpoint,
            contract.LINEAGE_PASSWORD_VARIABLE: self.lineage_password,
            contract.FEATURES_VARIABLE: self.features_endpoint,
            contract.PIPELINES_VARIABLE: self.pipelines_endpoint,
            contract.RUNTIME_IMAGE_VARIABLE: self.runtime_image,
            contract.VALIDATOR_VARIABLE: None if self.validator == "builtin" else self.validator,
        }
        return {name: value for name, value in told.items() if value}

    def need_tracking(self) -> str:
        """The tracking server; raises `InputError` where the surroundings name none."""
        if self.tracking_uri is None:
            raise InputError(
                "no tracking server is configured",
                where="environment variable MLFLOW_TRACKING_URI",
                hint="use -s STACK --tenant NAME, or set MLFLOW_TRACKING_URI",
            )
        return self.tracking_uri
