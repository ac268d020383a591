"""`mlops-infra bundle verify`: is it whole, unchanged, signed, and all that a stack needs?"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from mlops_infra.cli import options, output
from mlops_infra.cli.bundle import options as bundle_options
from mlops_infra.cli.render import sink_for

if TYPE_CHECKING:
    from offline_bundle.verify import Report


@click.command()
@bundle_options.folders
@click.option(
    "--key",
    type=bundle_options.FILE,
    metavar="PUB",
    help="Public key (PEM) of the bundle's signature.",
)
@bundle_options.stack
@click.option(
    "--base",
    multiple=True,
    type=bundle_options.BUNDLE,
    metavar="DIR",
    help="Base bundle of a differential bundle; repeatable, once per volume.",
)
@click.option(
    "--partial",
    is_flag=True,
    help="Accept missing volumes: list what has to be fetched instead of failing.",
)
@options.as_json
def verify(
    folders: tuple[Path, ...],
    key: Path | None,
    stack: str | None,
    stack_file: Path | None,
    base: tuple[Path, ...],
    partial: bool,
    as_json: bool,
) -> None:
    """Check a bundle, or its volumes in any order, without network.

    Every file is hashed and compared with the signed list. Unlisted files and missing parts of
    images are findings too. With -s, also checks that the bundle has everything that the stack
    needs. Exit code 3 if anything is found.
    """
    from offline_bundle.verify import verify as run
    from offline_bundle.verify.closure import closure_of

    sink = sink_for(as_json)
    report = run(folders, key=key, base=base, partial=partial, sink=sink)
    if stack is not None and not report.findings:
        report.lacking += closure_of(folders, stack, sink, base=base, file=stack_file)
    if as_json:
        output.document(report)
    elif not report.findings and not report.lacking:
        _show(report, stack)
    report.require_clean()


def _show(report: Report, stack: str | None) -> None:
    output.text(f"{report.files} files, {report.size:,} bytes, identity {report.identity}")
    told = {
        "good": "good",
        "not checked": "not checked: give --key PUB",
        "none": "none: it may have been changed on its way",
    }
    output.text(f"signature: {told[report.signature]}")
    if report.left_to_base:
        output.text(f"in the base only: {report.left_to_base} files; check them with --base DIR")
    for name, labels in report.incomplete.items():
        output.text(f"incomplete: {name}; fetch volume {', '.join(labels)}")
    if stack is not None:
        output.text(f"complete: it has everything that {stack} needs")
