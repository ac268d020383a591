"""Recurring runs of Kubeflow Pipelines."""

from __future__ import annotations

from collections.abc import Mapping

from mlops_infra.errors import InputError
from mlops_infra.lifecycle.pipeline.definition.model import Pipeline, Value
from mlops_infra.lifecycle.pipeline.engines import kfp
from mlops_infra.lifecycle.pipeline.submission.kfp_api import Document, PipelinesApi
from mlops_infra.lifecycle.pipeline.submission.kfp_run import upload
from mlops_infra.lifecycle.pipeline.submission.tenancy import Tenancy


def repeat(
    pipeline: Pipeline,
    values: Mapping[str, Value],
    tenancy: Tenancy,
    api: PipelinesApi,
    *,
    name: str,
    cron: str,
) -> Document:
    """Start runs by a schedule of five fields; the recurring run. Raises like `upload`."""
    fields = cron_of(cron)
    used = upload(pipeline, tenancy, api)
    parameters = kfp.runtime_values(pipeline, values)
    return api.repeat(used.version, name, parameters, used.experiment, fields)


def cron_of(cron: str) -> str:
    """A cron expression of five fields as KFP reads it, seconds first.

    Raises:
        InputError: it is not one.
    """
    from mlops_infra.config.language import cron as language
    from mlops_infra.config.language.invalid import InvalidValueError

    try:
        language.parse(cron)
    except InvalidValueError as error:
        raise InputError(f"'{cron}': {error}", hint=error.advice) from error
    return f"0 {' '.join(cron.split())}"
