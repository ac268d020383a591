"""`verify` and `status` of a stack of the aws profile."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from mlops_infra.cli import output
from mlops_infra.errors import FoundError, InputError

if TYPE_CHECKING:
    from mlops_infra.config import StackConfig
    from mlops_infra.lifecycle.verify.platform import Report
    from mlops_infra.progress import Sink


def verified(stack: str, config: StackConfig, sample: Path | None, sink: Sink) -> Report:
    """The loop through boto3: train by pipeline, register, endpoint, predict, lineage.

    Raises:
        InputError: the sample cannot be read.
    """
    from mlops_infra.aws import Cloud, Site
    from mlops_infra.lifecycle.verify.aws import verify
    from mlops_infra.lifecycle.verify.aws_journey import Targets
    from mlops_infra.plan.aws.names import names_of

    aws = config.aws
    assert aws is not None  # noqa: S101 - a rule of the configuration: profile aws has it
    names = names_of(config, stack)
    pipeline, endpoint = next(iter(aws.pipelines), None), next(iter(aws.endpoints), None)
    targets = Targets(
        bucket=names.of("bucket", "artifacts"),
        group=names.of("model-group", aws.registry.group),
        pipeline=names.of("pipeline", pipeline) if pipeline else None,
        endpoint=names.of("endpoint", endpoint) if endpoint else None,
        sample=_read(sample) if sample else None,
    )
    return verify(Cloud(Site.of(aws)), targets, sink)


def _read(sample: Path) -> bytes:
    try:
        return sample.read_bytes()
    except OSError as error:
        raise InputError(
            f"the request cannot be read: {error.strerror}", where=str(sample)
        ) from error


def show_status(stack: str, file: Path | None, sink: Sink, *, as_json: bool, drift: bool) -> None:
    """What the state records, and whether AWS runs it; with `drift`, all that `up` would change.

    Raises:
        FoundError: an endpoint does not run what was asked for, or something differs.
    """
    from mlops_infra import engine
    from mlops_infra.aws import Cloud
    from mlops_infra.cli.guarding import guarding

    opened = engine.open_engine(stack, file, sink)
    site = opened.record.site
    assert site is not None  # noqa: S101 - the caller asked the configuration
    cloud = Cloud(site)
    who = cloud.identity()
    resources = opened.exported()["deployment"].get("resources", ())
    endpoints = engine.wanted(resources)
    wrong = engine.differences(cloud, endpoints)
    if drift:
        changes = engine.preview(stack, file, sink, guarding).changes
        wrong += [f"{each['kind']} {each['name']}: {each['op']}" for each in changes]
    made = sum(1 for each in resources if str(each["type"]).startswith("aws:"))
    if as_json:
        output.document(
            {
                "stack": stack,
                "identity": who,
                "site": str(site),
                "resources": made,
                "endpoints": [each.endpoint for each in endpoints],
                "problems": wrong,
            }
        )
    else:
        output.text(f"stack {stack}: {made} resources, {site}, as {who}")
        for each in endpoints:
            output.text(f"endpoint {each.endpoint}: {each.configuration}")
    if wrong:
        raise FoundError(
            f"stack {stack} is not in its desired state", wrong, hint=f"mlops-infra up -s {stack}"
        )
