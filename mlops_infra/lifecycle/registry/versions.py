"""What promotion needs of the MLflow registry: versions, their numbers, aliases and tags."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from mlops_infra.errors import InputError, OperationFailed
from mlops_infra.lifecycle.lineage.traces import Trace
from mlops_infra.lifecycle.registry import files_of_version as files
from mlops_infra.lifecycle.registry.metric_names import decoded
from mlops_infra.lifecycle.registry.mlflow_tracking import MlflowTracking

CHAMPION, CHALLENGER = "champion", "challenger"
"""Aliases in the registry."""
RANGES_TAG = "mlops-infra.ranges"
"""JSON on the version or its run: `{"hour": {"min": 0, "max": 23, "integer": true}}`."""
_RANGE_KEYS: dict[str, tuple[type, ...]] = {
    "min": (int, float),
    "max": (int, float),
    "values": (list,),
    "integer": (bool,),
    "nullable": (bool,),
}
_PIPELINE_TAG = "mlops-infra.pipeline_run"
_DATA_TAG = "mlops-infra.data.sha256"
_COMMIT_TAGS = ("mlflow.source.git.commit", "mlops-infra.commit")


@dataclass(frozen=True, slots=True)
class Registered:
    """One model version with all that a decision about it needs."""

    name: str
    version: str
    tracking_run: str | None
    metrics: Mapping[str, float] = field(default_factory=dict)
    tags: Mapping[str, str] = field(default_factory=dict)
    """Of the run, overlaid by those of the version."""
    inputs: tuple[Mapping[str, Any], ...] = ()
    """Inputs of the signature as MLflow writes them; empty without a signature."""
    ranges: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    location: str = ""
    """Where its files are: `mlflow-artifacts:/…` or `s3://…`."""

    @property
    def id(self) -> str:
        """`name/version`."""
        return f"{self.name}/{self.version}"

    def trace(self, endpoint: str | None = None) -> Trace:
        """Its ids, as far as the registry knows them."""
        commit = next((self.tags[t] for t in _COMMIT_TAGS if self.tags.get(t)), None)
        return Trace(
            pipeline_run=self.tags.get(_PIPELINE_TAG),
            tracking_run=self.tracking_run,
            data=self.tags.get(_DATA_TAG),
            model=self.id,
            endpoint=endpoint,
            commit=commit.removesuffix("-dirty") if commit else None,
        )


class Registry(Protocol):
    """The registry as promotion sees it; all raise `OperationFailed` alone."""

    def latest(self, name: str) -> str:
        """The newest version of `name`."""

    def version(self, name: str, version: str) -> Registered:
        """One version."""

    def example(self, registered: Registered) -> Any:
        """The version's input example, as MLflow writes it for servers; None without one."""

    def alias(self, name: str, alias: str) -> str | None:
        """The version that carries an alias."""

    def point(self, name: str, alias: str, version: str | None) -> None:
        """Give an alias to a version, or to none."""

    def tag(self, name: str, version: str, tags: Mapping[str, str]) -> None:
        """Write tags of a version."""

    def download(self, registered: Registered, folder: Path) -> None:
        """Copy the version's files into `folder`."""


class MlflowModels(MlflowTracking):
    """A `Registry` over the MLflow client."""

    def latest(self, name: str) -> str:
        """The newest version of `name`."""
        with self._translate_errors(f"tell the versions of {name}"):
            found = self._client.search_model_versions(f"name='{name}'")
        if not found:
            raise InputError(f"no such registered model: '{name}'", where=self._registry_uri)
        return max((str(each.version) for each in found), key=int)

    def version(self, name: str, version: str) -> Registered:
        """One version with its run's metrics, its signature and its ranges."""
        with self._translate_errors(f"tell of {name}/{version}"):
            found = self._client.get_model_version(name, version)
            run = self._client.get_run(found.run_id).data if found.run_id else None
            model_id = getattr(found, "model_id", None)
            model = self._client.get_logged_model(model_id) if model_id else None
            files.refuse_foreign(self._client, name, version)
            info = self._mlflow.models.get_model_info(f"models:/{name}/{version}")
        tags = {**(run.tags if run else {}), **found.tags}
        logged = {m.key: m.value for m in (model.metrics or ())} if model else {}
        signature = info.signature.to_dict() if info.signature else {}
        return Registered(
            name=name,
            version=str(found.version),
            tracking_run=found.run_id or None,
            metrics={
                decoded(key): value
                for key, value in {**logged, **(run.metrics if run else {})}.items()
            },
            tags=tags,
            inputs=tuple(json.loads(signature.get("inputs") or "[]")),
            ranges=ranges_of(tags.get(RANGES_TAG), f"{name}/{version}"),
            location=model.artifact_location if model else found.source,
        )

    def example(self, registered: Registered) -> Any:
        """The version's input example, as MLflow writes it for servers; None without one."""
        uri = f"models:/{registered.id}"
        with self._translate_errors(f"give the example of {registered.id}"):
            info = self._mlflow.models.get_model_info(uri).saved_input_example_info or {}
            if (name := info.get("serving_input_path")) is None:
                return None
            with tempfile.TemporaryDirectory() as folder:
                path = self._mlflow.artifacts.download_artifacts(
                    artifact_uri=f"{uri}/{name}", dst_path=folder
                )
                text = Path(path).read_text(encoding="utf-8")
        try:
            return json.loads(text)
        except ValueError as error:
            raise OperationFailed(
                f"the input example of {registered.id} is not JSON: {error}", where=uri
            ) from error

    def alias(self, name: str, alias: str) -> str | None:
        """The version that carries an alias."""
        with self._translate_errors(f"tell the aliases of {name}"):
            aliases = self._client.get_registered_model(name).aliases
        held = aliases.get(alias)
        return str(held) if held is not None else None

    def point(self, name: str, alias: str, version: str | None) -> None:
        """Give an alias to a version, or to none."""
        with self._translate_errors(f"move alias {alias} of {name}"):
            if version is None:
                self._client.delete_registered_model_alias(name, alias)
            else:
                self._client.set_registered_model_alias(name, alias, version)

    def tag(self, name: str, version: str, tags: Mapping[str, str]) -> None:
        """Write tags of a version."""
        with self._translate_errors(f"tag {name}/{version}"):
            for key, value in tags.items():
                self._client.set_model_version_tag(name, version, key, value)

    def download(self, registered: Registered, folder: Path) -> None:
        """Copy the version's files into `folder`."""
        with self._translate_errors(f"give the files of {registered.id}"):
            self._mlflow.artifacts.download_artifacts(
                artifact_uri=f"models:/{registered.id}", dst_path=str(folder)
            )


def ranges_of(text: str | None, where: str) -> dict[str, dict[str, Any]]:
    """Read declared ranges.

    Raises:
        OperationFailed: they are not ranges; a gateway that skipped them would let anything in.
    """
    if not text:
        return {}
    try:
        read = json.loads(text)
        spans = {name: _span(name, span) for name, span in read.items()}
    except (ValueError, TypeError, AttributeError, KeyError) as error:
        raise OperationFailed(
            f"tag {RANGES_TAG} cannot be read: {error}",
            where=where,
            hint='use {"column": {"min": 0, "max": 23, "integer": true}}',
        ) from error
    return spans


def _span(name: str, span: Mapping[str, Any]) -> dict[str, Any]:
    for key, value in span.items():
        if not isinstance(value, _RANGE_KEYS[key]):
            raise TypeError(f"{name}.{key} is {value!r}")
    return dict(span)
