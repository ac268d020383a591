"""The files that a stack's file names: each is there and holds what its reader expects.

`check`, `preview` and `up` ask before anything is touched. Values of secrets are not among them:
they may be on the machine that deploys alone.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from mlops_infra import places
from mlops_infra.config import AwsConfig, StackConfig
from mlops_infra.config.language.document import Path as Key
from mlops_infra.config.language.document import dotted
from mlops_infra.config.language.explain import nearest
from mlops_infra.errors import ConfigError, InputError, Problem
from mlops_infra.plan.aws.sagemaker.checking import check_definition

_CERTIFICATE = re.compile(r"-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----")


def check_files(config: StackConfig, file: Path) -> None:
    """Look at every file that `config`, which was read from `file`, names.

    Raises:
        ConfigError: with every file that is missing or holds something else.
    """
    found = [
        Problem(dotted(key), message, config.origin.line(key), advice)
        for key, message, advice in (*_onprem(config, file.parent), *_aws(config.aws))
    ]
    if found:
        raise ConfigError(str(file), found)


def certificates(ca: str, folder: Path) -> str:
    """The certificates of `network.ca` as PEM; only their own text, whatever else the file holds.

    Args:
        ca: the path as the stack's file has it.
        folder: of the stack's file, where relative paths begin.

    Raises:
        InputError: the file cannot be read, or holds none.
    """
    path = folder / Path(ca).expanduser()
    try:
        found = _CERTIFICATE.findall(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is not text"
        message = f"the site's certificates cannot be read: {reason}"
        raise InputError(message, where=str(path), hint="a PEM file, see network.ca") from error
    if not found:
        raise InputError("the file has no certificate", where=str(path), hint="PEM is expected")
    return "\n".join(found) + "\n"


def definition(file: str, values: Mapping[str, Any]) -> str:
    """The checked definition of a SageMaker pipeline, with `values` as defaults of its parameters.

    Raises:
        InputError: the file does not exist, SageMaker would refuse it, or it lacks a parameter.
    """
    path = places.project() / file
    try:
        text = path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is not text"
        raise InputError(
            f"the pipeline's definition cannot be read: {reason}",
            where=str(path),
            hint="mlops-infra pipeline compile PIPELINE --engine sagemaker writes one",
        ) from error
    read = check_definition(text, str(path))
    parameters = {str(each.get("Name")): each for each in read.get("Parameters") or ()}
    for name, value in values.items():
        if name not in parameters:
            close = nearest(name, parameters)
            known = f"it has: {', '.join(parameters) or 'none'}"
            raise InputError(
                f"the definition has no parameter '{name}'",
                where=str(path),
                hint=f"did you mean {close}?" if close else known,
            )
        parameters[name]["DefaultValue"] = value
    return json.dumps(read) if values else text


def script(file: str) -> Path:
    """The script of a Glue job.

    Raises:
        InputError: the project has no such file.
    """
    path = places.project() / file
    if not path.is_file():
        raise InputError("the script does not exist", where=str(path), hint="aws.glue.jobs")
    return path


_Found = tuple[Key, str, str | None]


def _onprem(config: StackConfig, folder: Path) -> Iterator[_Found]:
    network = config.network
    if network.ca is not None and config.profile == "onprem":
        try:
            certificates(network.ca, folder)
        except InputError as error:
            yield ("network", "ca"), f"{error.what}: {error.where}", error.hint
    charts = network.charts
    if charts is not None and "://" not in charts and not Path(charts).is_dir():
        yield ("network", "charts"), f"no such folder: {charts}", "a folder, or an oci:// URL"


def _aws(config: AwsConfig | None) -> Iterator[_Found]:
    if config is None:
        return
    for name, job in config.glue.jobs.items():
        if job.script is not None:
            try:
                script(job.script)
            except InputError as error:
                where: Key = ("aws", "glue", "jobs", name, "script")
                yield where, f"{error.what}: {error.where}", "a path within the project"
    for name, pipeline in config.pipelines.items():
        if pipeline.definition is not None:
            try:
                definition(pipeline.definition, pipeline.parameters)
            except InputError as error:
                where = ("aws", "pipelines", name, "definition")
                yield where, f"{error.what}: {error.where}", error.hint
