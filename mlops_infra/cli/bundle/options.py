"""Options that several commands of `bundle` share."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from mlops_infra import contract

if TYPE_CHECKING:
    from offline_bundle.discover import Needs
    from offline_bundle.registry import Settings

_F = TypeVar("_F", bound=Callable[..., Any] | click.Command)

FILE = click.Path(dir_okay=False, path_type=Path)
FOLDER = click.Path(file_okay=False, path_type=Path)
BUNDLE = click.Path(file_okay=False, path_type=Path)
_UNITS = {"": 1, "k": 10**3, "m": 10**6, "g": 10**9, "ki": 2**10, "mi": 2**20, "gi": 2**30}


class Size(click.ParamType[int]):
    """Bytes: `4700000000`, `4.7GB`, `4400MiB`."""

    name = "size"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """The number of bytes."""
        if isinstance(value, int):
            return value
        match = re.fullmatch(r"(\d+(?:\.\d+)?) ?((?:[kmg]i?)?)b?", str(value).strip().lower())
        if match is None or not float(match[1]):
            self.fail(f"'{value}' is not a size; use for example 4.7GB or 25GB", param, ctx)
        return int(float(match[1]) * _UNITS[match[2]])


def folders(function: _F) -> _F:
    """The argument `DIR...`, passed on as `folders: tuple[Path, ...]`."""
    return click.argument("folders", nargs=-1, required=True, metavar="DIR...", type=BUNDLE)(
        function
    )


def root(function: _F) -> _F:
    """`--root ROOT` of an installation, passed on as `root: Path`."""
    return click.option(
        "--root",
        type=FOLDER,
        required=True,
        metavar="ROOT",
        help="Folder of the installation.",
    )(function)


def stack(function: _F) -> _F:
    """`-s/--stack` where it may be absent, and `--stack-file`."""
    with_file = click.option(
        "--stack-file",
        type=FILE,
        metavar="PATH",
        help="Stack file (default: stacks/Pulumi.NAME.yaml).",
    )(function)
    return click.option(
        "-s",
        "--stack",
        metavar="NAME",
        envvar=contract.STACK_VARIABLE,
        show_envvar=True,
        help="Stack: NAME of stacks/Pulumi.NAME.yaml, such as sandbox.",
    )(with_file)


def additions(function: _F) -> _F:
    """`--image`, `--file`, `--chart` and `--wheel`, each repeatable."""
    for name, metavar, text in (
        ("wheel", "PATH", "Additional wheel; repeatable."),
        ("chart", "PATH", "Additional chart (folder or .tgz) with all its images; repeatable."),
        ("file", "PATH", "Additional file or folder; repeatable."),
    ):
        kind = click.Path(exists=True, path_type=Path)
        function = click.option(
            f"--{name}", f"{name}s", multiple=True, type=kind, metavar=metavar, help=text
        )(function)
    return click.option(
        "--image",
        "images",
        multiple=True,
        metavar="REF",
        help="Additional image; repeatable.",
    )(function)


def target(function: _F) -> _F:
    """`--target`, `--python` and `--state`: what is known of the closed side."""
    for flags, metavar, text in (
        ("--python", "VERSION", "Python version of the target, such as 3.11 (default: this one)."),
        (
            "--target",
            "OS/ARCH",
            "Platform of the target, linux/amd64 or linux/arm64 (default: this one).",
        ),
    ):
        function = click.option(flags, metavar=metavar, help=text)(function)
    return click.option(
        "--state",
        type=FILE,
        metavar="FILE",
        help="Output of `pulumi stack export`, for the plugins that it names.",
    )(function)


def needs(
    stack: str | None,
    stack_file: Path | None,
    as_json: bool,
    given: dict[str, Any],
    settings: Settings | None = None,
) -> Needs:
    """What discovery finds for the options of `stack`, `additions` and `target`.

    With `settings`, registries are asked which of upstream's images an embedded cluster can run.

    Raises:
        InputError: neither a stack nor an addition is given.
    """
    from mlops_infra.cli.render import sink_for
    from mlops_infra.errors import InputError
    from offline_bundle.discover import Additions, discover

    add = Additions(given["images"], given["files"], given["charts"], given["wheels"])
    if stack is None and not (add.images or add.files or add.charts or add.wheels):
        raise InputError(
            "nothing is requested", hint="give -s STACK, or --image, --file, --chart, --wheel"
        )
    if stack is not None and settings is not None:
        _ask(stack, stack_file, settings)
    return discover(
        stack,
        sink_for(as_json),
        file=stack_file,
        add=add,
        platform=given["target"],
        python=given["python"],
        state=given["state"],
    )


def _ask(stack: str, stack_file: Path | None, settings: Settings) -> None:
    from mlops_infra.config import load
    from mlops_infra.config import stack_file as usual_file
    from mlops_infra.engine import plan_of, upstream_images
    from offline_bundle.pull import Mirrors

    config = load(stack_file or usual_file(stack))
    if config.cluster.embedded:
        # the closed network is the other side: whoever makes a bundle may ask
        upstream_images.ask(plan_of(config, stack), Mirrors(settings))
