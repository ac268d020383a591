"""A public door of an endpoint: API Gateway asks who comes, a function checks what they ask."""

from __future__ import annotations

import json
from typing import Any

import pulumi
from pulumi import Output, ResourceOptions
from pulumi_aws.apigatewayv2 import Api, Authorizer, Integration, Route, Stage
from pulumi_aws.lambda_ import Function, Permission

from mlops_infra.components.aws.foundation.foundation import Foundation
from mlops_infra.components.aws.functions.lambda_function import function
from mlops_infra.components.aws.iam.roles import Statement
from mlops_infra.config.aws.front import Front

TYPE = "mlops-infra:aws:Fronts"
ROUTE = "POST /predict"
CONCURRENCY = 20


class Fronts(pulumi.ComponentResource):
    """`addresses` by name."""

    def __init__(self, foundation: Foundation) -> None:
        super().__init__(TYPE, "fronts", {}, ResourceOptions(parent=foundation.parent))
        self._foundation = foundation
        self.addresses: dict[str, Output[str]] = {
            name: self._front(name, config) for name, config in foundation.config.fronts.items()
        }
        self.register_outputs({})

    def _front(self, name: str, config: Front) -> Output[str]:
        below = ResourceOptions(parent=self)
        api = Api(
            name,
            name=self._foundation.name("api", name),
            description=f"Predictions of {config.endpoint}",
            protocol_type="HTTP",
            opts=below,
        )
        asked = self._function(name, config)
        integration = Integration(
            name,
            api_id=api.id,
            integration_type="AWS_PROXY",
            integration_uri=asked.arn,
            payload_format_version="2.0",
            timeout_milliseconds=(config.timeout_seconds + 1) * 1_000,
            opts=below,
        )
        Route(
            name,
            api_id=api.id,
            route_key=ROUTE,
            target=Output.concat("integrations/", integration.id),
            opts=below,
            **self._who(name, config, api),
        )
        Permission(
            f"{name}-api",
            statement_id="api",
            action="lambda:InvokeFunction",
            function=asked.name,
            principal="apigateway.amazonaws.com",
            source_arn=Output.concat(api.execution_arn, "/*/POST/predict"),
            opts=below,
        )
        self._stage(name, config, api)
        # the stage `$default` adds nothing to the path
        return Output.concat(api.api_endpoint, "/predict")

    def _function(self, name: str, config: Front) -> Function:
        names = self._foundation.names
        endpoint = self._foundation.name("endpoint", config.endpoint)
        fields = {key: b.model_dump(exclude_none=True) for key, b in config.fields.items()}
        return function(
            self._foundation,
            f"front-{name}",
            script="front.py",
            statements=(
                Statement(
                    "Ask",
                    ("sagemaker:InvokeEndpoint",),
                    (names.arn("sagemaker", f"endpoint/{endpoint}"),),
                ),
            ),
            environment={
                "ENDPOINT": endpoint,
                "FIELDS": json.dumps(fields, sort_keys=True),
                "TIMEOUT_SECONDS": str(config.timeout_seconds),
            },
            timeout=config.timeout_seconds + 1,
            concurrency=CONCURRENCY,
            dead_letters=None,
            parent=self,
        )

    def _who(self, name: str, config: Front, api: Api) -> dict[str, Any]:
        """Nobody comes in unasked: a token of the site's issuer, or a signature of IAM."""
        if config.jwt is None:
            return {"authorization_type": "AWS_IAM"}
        authorizer = Authorizer(
            name,
            name=self._foundation.name("api", name),
            api_id=api.id,
            authorizer_type="JWT",
            identity_sources=["$request.header.Authorization"],
            jwt_configuration={
                "issuer": config.jwt.issuer,
                "audiences": list(config.jwt.audience),
            },
            opts=ResourceOptions(parent=self),
        )
        return {"authorization_type": "JWT", "authorizer_id": authorizer.id}

    def _stage(self, name: str, config: Front, api: Api) -> Stage:
        logs = self._foundation.log_group(f"front-{name}-access", parent=self)
        shown = {key: f"$context.{value}" for key, value in _LOGGED.items()}
        return Stage(
            name,
            api_id=api.id,
            name="$default",
            auto_deploy=True,
            access_log_settings={"destination_arn": logs.arn, "format": json.dumps(shown)},
            default_route_settings={
                "throttling_burst_limit": config.burst,
                "throttling_rate_limit": config.rate,
                "detailed_metrics_enabled": True,
            },
            opts=ResourceOptions(parent=self),
        )


_LOGGED = {
    "request": "requestId",
    "time": "requestTime",
    "from": "identity.sourceIp",
    "route": "routeKey",
    "status": "status",
    "milliseconds": "responseLatency",
}


def build_fronts(foundation: Foundation) -> Fronts | None:
    """Declare the doors; nothing where the configuration has none."""
    return Fronts(foundation) if foundation.config.fronts else None
