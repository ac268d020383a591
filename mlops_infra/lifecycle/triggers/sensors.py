"""What triggers look at in a running platform: buckets, MLflow, Prometheus, drift results."""

from __future__ import annotations

import json
import urllib.parse
import urllib.request
from collections.abc import Callable, Sequence
from typing import Any

from mlops_infra import contract
from mlops_infra.errors import OperationFailed
from mlops_infra.lifecycle.services.credentials import Login
from mlops_infra.lifecycle.services.reachability import ANSWER_SECONDS
from mlops_infra.lifecycle.triggers.declared import DataSource, DeclaredModel
from mlops_infra.lifecycle.triggers.ledger import Connect
from mlops_infra.lifecycle.triggers.signals import Listed, Reading

MOST_OBJECTS = 100_000
"""Of one prefix; more is not a folder of training data but a lake."""
_DRIFT = (
    "SELECT id::text, version, at, share, drifted, columns FROM drift_result "
    "WHERE tenant = %s AND model = %s ORDER BY at DESC LIMIT 1"
)


class PlatformSensors:
    """Looks at the platform's own services."""

    def __init__(
        self,
        connect: Connect,
        *,
        objects: tuple[str, Login] | None = None,
        metric: Callable[[str, str], Reading | None] | None = None,
        prometheus: str | None = None,
    ) -> None:
        """Nothing is asked yet.

        Args:
            connect: opens the lifecycle's database.
            objects: endpoint of the object store and a login that may list every tenant's bucket.
            metric: gives the latest evaluation of a model's champion, by model and metric.
            prometheus: base URL.
        """
        self._connect = connect
        self._objects = objects
        self._metric = metric
        self._prometheus = prometheus
        self._client: Any = None

    def objects(self, source: DataSource) -> Sequence[Listed]:
        """The objects of a part of a bucket."""
        from botocore.exceptions import BotoCoreError, ClientError

        if self._objects is None:
            raise OperationFailed("no object store is configured", where="AWS_ENDPOINT_URL_S3")
        try:
            pages = self._s3().get_paginator("list_objects_v2")
            found = [
                Listed(item["Key"], str(item["ETag"]).strip('"'), item["LastModified"])
                for page in pages.paginate(Bucket=source.bucket, Prefix=source.prefix)
                for item in page.get("Contents", [])
                if not item["Key"].endswith("/")
            ]
        except (BotoCoreError, ClientError) as error:
            where = f"s3://{source.bucket}/{source.prefix}"
            raise OperationFailed(f"the bucket cannot be listed: {error}", where=where) from error
        if len(found) > MOST_OBJECTS:
            raise OperationFailed(
                f"{len(found)} objects, at most {MOST_OBJECTS} can be watched",
                where=f"s3://{source.bucket}/{source.prefix}",
                hint="set a longer prefix in retrain.newData",
            )
        return found

    def reading(self, model: DeclaredModel) -> Reading | None:
        """The latest value of the model's metric."""
        if model.metric is None:
            return None
        if model.metric_source == "prometheus":
            return self._query(model.metric.metric)
        if self._metric is None:
            raise OperationFailed("no tracking server is configured", where="MLFLOW_TRACKING_URI")
        return self._metric(model.name, model.metric.metric)

    def drift(self, model: DeclaredModel) -> dict[str, Any] | None:
        """The latest result of the drift job."""
        with self._connect() as connection:
            row = connection.execute(_DRIFT, (model.tenant, model.name)).fetchone()
        if row is None:
            return None
        ident, version, at, share, drifted, columns = row
        names = [column["name"] for column in columns if column["drifted"]]
        return {
            "id": ident,
            "version": version,
            "at": at,
            "share": share,
            "drifted": drifted,
            "columns": names,
        }

    def _query(self, query: str) -> Reading | None:
        """One number of Prometheus; None where the query has no result."""
        if self._prometheus is None:
            raise OperationFailed("no Prometheus is configured", where=contract.PROMETHEUS_VARIABLE)
        url = f"{self._prometheus}/api/v1/query?{urllib.parse.urlencode({'query': query})}"
        try:
            with urllib.request.urlopen(url, timeout=ANSWER_SECONDS) as answer:  # noqa: S310 - http
                result = json.load(answer)["data"]["result"]
            if not result:
                return None
            at, value = result[0]["value"]
        except (OSError, ValueError, KeyError, TypeError, IndexError) as error:
            raise OperationFailed(
                f"Prometheus does not answer the query: {error}", where=query
            ) from error
        # the same minute is the same measurement: two controllers must not see two
        return Reading(float(value), f"{query}@{int(float(at)) // 60}")

    def _s3(self) -> Any:
        if self._client is None:
            from mlops_infra.lifecycle.services.object_store import s3_client

            assert self._objects is not None  # noqa: S101 - the caller has looked
            self._client = s3_client(*self._objects)
        return self._client
