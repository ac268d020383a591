"""Rules of the section `tenants`: buckets, models, and what the models' keys refer to."""

from __future__ import annotations

from collections.abc import Iterator

from pydantic import TypeAdapter, ValidationError

from mlops_infra import contract
from mlops_infra.config.language.buckets import bucket_name
from mlops_infra.config.language.document import Path, Tree
from mlops_infra.config.language.explain import nearest
from mlops_infra.config.language.invalid import InvalidValueError
from mlops_infra.config.language.section import SERVING_ENGINES
from mlops_infra.config.language.tree import get, section
from mlops_infra.config.tenants.pipelines import check_parameter
from mlops_infra.config.tenants.tenant import TenantName
from mlops_infra.parameters import PARAMETERS

Broken = tuple[Path, str, str | None]

_DEFAULT_PIPELINE = "tabular-classification"
_MANAGED = "managed"


def _buckets(tree: Tree) -> Iterator[Broken]:
    """Each bucket has one owner: whoever has its keys reads all of it."""
    if get(tree, "stores", "object", "state") == "removed":
        return
    owners: dict[str, str] = {_text(tree, "stores", "object", "bucket") or "mlflow": "MLflow"}
    pipelines = section(tree, "components", "kubeflow-pipelines")
    if pipelines.get("state") == _MANAGED:
        owners[_text(pipelines, "settings", "bucket") or "pipelines"] = "Kubeflow Pipelines"
    for tenant in section(tree, "tenants"):
        own = get(tree, "tenants", tenant, "bucket")
        name = own if isinstance(own, str) else contract.tenant_namespace(tenant)
        path: Path = ("tenants", tenant, *(("bucket",) if isinstance(own, str) else ()))
        if name in owners:
            message = f"bucket '{name}' is that of {owners[name]} already"
            yield path, message, "each tenant needs a bucket of its own"
        owners.setdefault(name, f"tenant {tenant}")
        if own is None and _is_name(tenant):
            try:
                bucket_name(name)
            except InvalidValueError as error:
                yield path, f"its bucket: {error}", "choose another name for the tenant"


def _is_name(tenant: str) -> bool:
    """Whether the model lets the name pass; it says why where it does not."""
    try:
        TypeAdapter(TenantName).validate_python(tenant)
    except ValidationError:
        return False
    return True


def _models(tree: Tree) -> Iterator[Broken]:
    owners: dict[str, str] = {}
    for tenant in section(tree, "tenants"):
        for name in section(tree, "tenants", tenant, "models"):
            base: Path = ("tenants", tenant, "models", name)
            model = section(tree, "tenants", tenant, "models", name)
            if name in owners:
                message = f"tenant '{owners[name]}' has a model of this name"
                yield base, message, f"the registry is shared: for example {tenant}-{name}"
            owners.setdefault(name, tenant)
            yield from _pipeline(base, model)
            yield from _serving((*base, "serving"), model.get("serving"), tree)
            yield from _retrain(base, section(model, "retrain"), tree)
            for job in section(model, "batch"):
                yield from _batch((*base, "batch", job), section(model, "batch", job))
                yield from _own_bucket(tree, tenant, (*base, "batch", job))


def _pipeline(base: Path, model: Tree) -> Iterator[Broken]:
    pipeline = model.get("pipeline", _DEFAULT_PIPELINE)
    if not isinstance(pipeline, str):
        return
    if pipeline not in PARAMETERS:
        close = nearest(pipeline, PARAMETERS)
        advice = f"did you mean '{close}'?" if close else f"there are: {', '.join(PARAMETERS)}"
        yield (*base, "pipeline"), f"no such pipeline: '{pipeline}'", advice
        return
    for name, value in section(model, "parameters").items():
        if not isinstance(value, str):
            continue
        try:
            check_parameter(pipeline, name, value)
        except InvalidValueError as error:
            yield (*base, "parameters", name), str(error), error.advice


def _default_serving(tree: Tree) -> Iterator[Broken]:
    path = ("components", "lifecycle", "settings", "serving")
    yield from _serving(path, get(tree, *path), tree)


def _serving(path: Path, engine: object, tree: Tree) -> Iterator[Broken]:
    """What serves a model must be there."""
    if not isinstance(engine, str) or engine not in SERVING_ENGINES:
        return
    if get(tree, "components", engine, "state") != _MANAGED:
        message = f"needs components.{engine}, which is not managed"
        yield path, message, f"set components.{engine}.state: managed, or choose another"


def _retrain(base: Path, retrain: Tree, tree: Tree) -> Iterator[Broken]:
    path: Path = (*base, "retrain", "metricDrop")
    drop = retrain.get("metricDrop")
    if not isinstance(drop, dict):
        return
    if all(drop.get(key) is None for key in ("below", "above", "drop")):
        yield path, "never fires: it has no bound", "give below, above or drop"
    if drop.get("source") != "prometheus":
        return
    if drop.get("drop") is not None:
        message = "only applies to source mlflow: a query has no value at training"
        yield (*path, "drop"), message, "use below or above"
    if get(tree, "components", "prometheus", "state") != _MANAGED:
        message = "needs components.prometheus"
        yield (*path, "source"), message, "set components.prometheus.state: managed"


def _batch(base: Path, job: Tree) -> Iterator[Broken]:
    source = job.get("source")
    if not isinstance(source, str):
        return
    scheme, _, rest = source.partition("://")
    if scheme == "s3":
        try:
            bucket_name(rest.partition("/")[0])
        except InvalidValueError as error:
            yield (*base, "source"), str(error), error.advice
        if job.get("partitionColumn") is not None:
            message = "only applies to a table: files and folders are partitions themselves"
            yield (*base, "partitionColumn"), message, "remove it"
    if scheme == "sql" and not (all(rest.split(".")) and rest.count(".") < 2):
        yield (*base, "source"), f"'{rest}' is not a table", "sql://table or sql://schema.table"
    key = job.get("key")
    if isinstance(key, list) and len(set(map(str, key))) != len(key):
        yield (*base, "key"), "names a column twice", None


def _own_bucket(tree: Tree, tenant: str, path: Path) -> Iterator[Broken]:
    """A job has the keys of its tenant, which open no bucket of another one."""
    source = get(tree, *map(str, path), "source")
    bucket = str(source).removeprefix("s3://").partition("/")[0]
    for other in section(tree, "tenants"):
        if other != tenant and bucket == _bucket_of(tree, other):
            message = f"bucket '{bucket}' is that of tenant {other}"
            yield (*path, "source"), message, f"tenant {tenant} reads {_bucket_of(tree, tenant)}"


def _bucket_of(tree: Tree, tenant: str) -> str:
    return _text(tree, "tenants", tenant, "bucket") or contract.tenant_namespace(tenant)


def _groups(tree: Tree) -> Iterator[Broken]:
    """Kubernetes' own groups hold every person or every program of a cluster."""
    for tenant in section(tree, "tenants"):
        groups = get(tree, "tenants", tenant, "groups")
        for group in groups if isinstance(groups, list) else ():
            if str(group).startswith("system:"):
                message = f"'{group}' is a group of Kubernetes itself"
                advice = "name a group of the site's login system"
                yield ("tenants", tenant, "groups"), message, advice


def _lifecycle(tree: Tree) -> Iterator[Broken]:
    """Without the component `lifecycle` nothing would read the models."""
    if get(tree, "components", "lifecycle", "state") == _MANAGED:
        return
    for tenant in section(tree, "tenants"):
        if section(tree, "tenants", tenant, "models"):
            message = "are looked after by components.lifecycle, which is not there"
            advice = "set components.lifecycle.state: managed, or remove the models"
            yield ("tenants", tenant, "models"), message, advice


def _engines(tree: Tree) -> Iterator[Broken]:
    """Trainings need the engine that the tenant has chosen."""
    name = "kubeflow-pipelines"
    if get(tree, "components", name, "state") in (_MANAGED, "external"):
        return
    for tenant in section(tree, "tenants"):
        if get(tree, "tenants", tenant, "pipelineEngine") == "kfp":
            message = f"needs components.{name}, which is neither managed nor external"
            advice = f"set components.{name}.state: managed, or pipelineEngine: argo"
            yield ("tenants", tenant, "pipelineEngine"), message, advice


def _text(tree: Tree, *path: str) -> str | None:
    found = get(tree, *path)
    return found if isinstance(found, str) else None


RULES = (_buckets, _models, _groups, _lifecycle, _engines, _default_serving)
