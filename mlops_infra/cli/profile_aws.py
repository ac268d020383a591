"""The commands of the aws profile."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from mlops_infra.cli import output
from mlops_infra.cli.guarding import guarding
from mlops_infra.cli.open_stack import OpenStack
from mlops_infra.cli.profile import Verification, refuse_options
from mlops_infra.errors import InputError

if TYPE_CHECKING:
    from mlops_infra.lifecycle.verify.platform import Report


class AwsCommands:
    """`status` and `verify` of a stack in an account of AWS."""

    def __init__(self, opened: OpenStack) -> None:
        self._opened = opened

    def status(self, *, drift: bool, page: Path | None, as_json: bool) -> Sequence[str]:
        """What the state records, and whether AWS runs it; with `drift`, all that differs."""
        from mlops_infra import engine
        from mlops_infra.aws import Cloud

        refuse_options("aws", {"--html": page is not None})
        opened = self._opened
        site = opened.engine.record.site
        assert site is not None  # noqa: S101 - a rule of the configuration: profile aws has it
        cloud = Cloud(site)
        who = cloud.identity()
        resources = opened.engine.exported()["deployment"].get("resources", ())
        endpoints = engine.wanted(resources)
        wrong = engine.differences(cloud, endpoints)
        if drift:
            changes = engine.preview(opened.name, opened.file, opened.sink, guarding).changes
            wrong += [f"{each['kind']} {each['name']}: {each['op']}" for each in changes]
        made = sum(1 for each in resources if str(each["type"]).startswith("aws:"))
        if as_json:
            output.document(
                {
                    "stack": opened.name,
                    "identity": who,
                    "site": str(site),
                    "resources": made,
                    "endpoints": [each.endpoint for each in endpoints],
                    "problems": wrong,
                }
            )
        else:
            output.text(f"stack {opened.name}: {made} resources, {site}, as {who}")
            for each in endpoints:
                output.text(f"endpoint {each.endpoint}: {each.configuration}")
        return wrong

    def verify(self, asked: Verification) -> Report:
        """The loop through boto3: train by pipeline, register, endpoint, predict, lineage.

        Raises:
            InputError: the sample cannot be read.
        """
        from mlops_infra.aws import Cloud, Site
        from mlops_infra.lifecycle.verify.aws import verify
        from mlops_infra.lifecycle.verify.aws_journey import Targets
        from mlops_infra.plan.aws.names import names_of

        given = {"--clean": asked.clean, "--core": asked.core, "--model": asked.model is not None}
        refuse_options("aws", given)
        config = self._opened.config
        aws = config.aws
        assert aws is not None  # noqa: S101 - a rule of the configuration: profile aws has it
        names = names_of(config, self._opened.name)
        pipeline, endpoint = next(iter(aws.pipelines), None), next(iter(aws.endpoints), None)
        targets = Targets(
            bucket=names.of("bucket", "artifacts"),
            group=names.of("model-group", aws.registry.group),
            pipeline=names.of("pipeline", pipeline) if pipeline else None,
            endpoint=names.of("endpoint", endpoint) if endpoint else None,
            sample=_read(asked.sample) if asked.sample else None,
        )
        return verify(Cloud(Site.of(aws)), targets, self._opened.sink)


def _read(sample: Path) -> bytes:
    try:
        return sample.read_bytes()
    except OSError as error:
        raise InputError(
            f"the request cannot be read: {error.strerror}", where=str(sample)
        ) from error
