"""`mlops-infra check`: the file, the gates and the plan, without opening a socket."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from mlops_infra import contract
from mlops_infra.cli import options, output
from mlops_infra.cli.outcomes import show_pods
from mlops_infra.errors import InputError

if TYPE_CHECKING:
    from mlops_infra.config import StackConfig
    from mlops_infra.plan import Plan, PlannedComponent
    from mlops_infra.plan.images.reality import ComponentPods


@click.command()
@click.option(
    "-s",
    "--stack",
    metavar="NAME",
    envvar=contract.STACK_VARIABLE,
    show_envvar=True,
    help="Stack: NAME of stacks/Pulumi.NAME.yaml (default: from the stack file).",
)
@options.file
@click.option(
    "--effective", is_flag=True, help="Print the effective configuration, defaults included."
)
@click.option("--schema", is_flag=True, help="Print the JSON Schema of a stack file.")
@click.option(
    "--ask",
    is_flag=True,
    help="Embedded only: ask registries which of upstream's images are available.",
)
@options.as_json
def command(
    stack: str | None, file: Path | None, effective: bool, schema: bool, ask: bool, as_json: bool
) -> None:
    """Check a stack's file and show the plan, without opening a socket.

    For each component of an embedded cluster it says whether its Pods are real or simulated, and
    why. What registries have answered to `up`, `preview` or --ask is remembered.
    """
    from mlops_infra import config as configuration
    from mlops_infra.plan.named_files import check_files

    if schema:
        output.document(configuration.json_schema())
        return
    name, path = _which(stack, file)
    config = configuration.load(path)
    plan = _plan(config, name, path, ask=ask)
    check_files(config, path)
    if effective:
        _effective(configuration.effective(config), as_json=as_json)
    elif as_json:
        output.document(_as_data(config, plan))
    else:
        _tell(config, plan)


def _which(stack: str | None, file: Path | None) -> tuple[str, Path]:
    from mlops_infra.config import stack_file

    if file is None:
        if stack is None:
            hint = "mlops-infra check -s sandbox"
            raise InputError("name a stack with -s", hint=hint)
        return stack, stack_file(stack)
    return stack or _stack_of(file), file


def _stack_of(file: Path) -> str:
    name = file.name.removeprefix("Pulumi.").removesuffix(".yaml").removesuffix(".yml")
    return "".join(c if c.isascii() and c.isalnum() else "-" for c in name.lower()).strip("-") or (
        "stack"
    )


def _plan(config: StackConfig, name: str, file: Path, *, ask: bool) -> Plan:
    from mlops_infra.plan import make_plan

    plan = make_plan(config, stack=name, built=_built(config), answers=_answers(config))
    if not ask:
        return plan
    if not config.cluster.embedded:
        raise InputError(
            f"stack {name} has no embedded cluster: its nodes pull images by themselves",
            hint="leave --ask out",
        )
    from mlops_infra.engine import upstream_images

    if not upstream_images.ask(plan, upstream_images.mirrors_of(config, file), again=True):
        return plan
    return make_plan(config, stack=name, built=_built(config), answers=_answers(config))


def _answers(config: StackConfig) -> Mapping[str, tuple[bool, str]]:
    if not config.cluster.embedded:
        return {}
    from mlops_infra.images import answers

    return answers()


def _pods(config: StackConfig, plan: Plan) -> tuple[ComponentPods, ...]:
    from mlops_infra.plan.images.reality import pods_of

    if not config.cluster.embedded:
        return pods_of(plan, None)
    from mlops_infra.cluster.node.preflight import all_simulated

    return pods_of(plan, all_simulated(config.cluster.simulated))


def _built(config: StackConfig) -> Mapping[str, str]:
    """References of the images built here; their keys are only reckoned where they are used."""
    network = config.network
    sources = {network.images.default, *network.images.components.values()}
    ours = "built" in sources or network.registry or config.cluster.embedded
    if config.profile == "aws" or not ours:
        return {}
    from mlops_infra.images import references

    return references()


def _effective(values: Mapping[str, Any], *, as_json: bool) -> None:
    import yaml

    from mlops_infra.config import NAMESPACE

    whole = {"config": {f"{NAMESPACE}:{key}": value for key, value in values.items()}}
    if as_json:
        output.document(whole)
    else:
        output.text(yaml.safe_dump(whole, sort_keys=False, allow_unicode=True).rstrip())


def _as_data(config: StackConfig, plan: Plan) -> dict[str, Any]:
    return {
        "file": plan.file,
        "stack": plan.stack,
        "profile": config.profile,
        "environment": config.environment,
        "policy": config.policy,
        "deployable": plan.refusal is None,
        "components": [
            {
                "name": each.name,
                "version": each.version,
                "licence": _licence(each),
                "namespace": each.namespace,
                "needs": list(each.needs),
                "stateful": each.stateful,
                "pods": pods.pods,
                "why": pods.why,
                "simulated": pods.pods == "simulated",
                "tenant": each.tenant,
                "images": [image.reference for image in each.images],
            }
            for each, pods in zip(plan.components, _pods(config, plan), strict=True)
        ],
        "nodeImages": [image.reference for image in plan.node_images],
        # null where only the running cluster knows the address
        "outputs": {key: _known(value) for key, value in plan.outputs.items()},
        "findings": list(plan.findings),
    }


def _known(value: Any) -> Any:
    from mlops_infra.plan import NODE

    return None if isinstance(value, str) and NODE in value else value


def _licence(component: PlannedComponent) -> str:
    from mlops_infra.catalog import load_catalog

    if component.tenant is not None:
        return "Apache-2.0"  # nothing but objects of our own chart
    return load_catalog()[component.name].licence(component.version).spdx


def _tell(config: StackConfig, plan: Plan) -> None:
    output.text(
        f"{plan.file} is valid: profile {config.profile}, environment {config.environment}, "
        f"policy {config.policy}, licences {config.licence.policy}"
    )
    if plan.components:
        output.text()
        output.table(
            ("component", "version", "pods", "licence", "namespace", "needs", "image"),
            [
                (
                    each.name,
                    each.version,
                    pods.pods,
                    _licence(each),
                    each.namespace or None,
                    ", ".join(each.needs) or None,
                    ", ".join(image.reference for image in each.images),
                )
                for each, pods in zip(plan.components, _pods(config, plan), strict=True)
            ],
        )
        output.text()
        show_pods(_pods(config, plan))
    for finding in plan.findings:
        output.text()
        output.text(f"{finding.gate}: {finding.path}: {finding.message}")
