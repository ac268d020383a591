"""Free additions: what a site wants carried beside the platform."""

from __future__ import annotations

import tarfile
from collections.abc import Iterable, Iterator
from pathlib import Path

import yaml
from packaging.utils import InvalidWheelFilename, parse_wheel_filename

from mlops_infra.errors import InputError
from mlops_infra.progress import Sink
from offline_bundle import references
from offline_bundle.discover.rendering import Helm
from offline_bundle.discover.walk import objects
from offline_bundle.discover.walk import references as walked
from offline_bundle.discover.wanted import WantedFile, WantedImage
from offline_bundle.model import Found


def images(given: Iterable[str]) -> Iterator[WantedImage]:
    """Images of `--image REF`.

    Raises:
        InputError: one is no reference.
    """
    for text in given:
        yield WantedImage(str(references.parse(text)), (Found(f"--image {text}"),))


def files(given: Iterable[Path]) -> Iterator[WantedFile]:
    """Files of `--file PATH`; folders bring everything below them.

    Raises:
        InputError: one is not there, or is no file.
    """
    for path in given:
        if path.is_dir():
            inside = sorted(each for each in path.rglob("*") if each.is_file())
            for each in inside:
                name = f"{path.resolve().name}/{each.relative_to(path).as_posix()}"
                yield _file(each, name, path)
        elif path.is_file():
            yield _file(path, path.name, path)
        else:
            raise InputError("the file does not exist", where=str(path))


def charts(given: Iterable[Path], sink: Sink) -> Iterator[WantedFile | WantedImage]:
    """Charts of `--chart PATH` (a folder or a packaged one), and the images in what they render.

    Raises:
        InputError: one is no chart.
        OperationFailed: it does not render with its own values.
    """
    paths = list(given)
    helm = Helm(sink) if paths else None
    for path in paths:
        name, version = _chart(path)
        place = f"--chart {path}"
        source = f"chart:{path}" if path.is_dir() else f"file:{path}"
        filename = f"{name}-{version}.tgz"
        yield WantedFile("chart", name, version, filename, source, (Found(place),))
        assert helm is not None  # noqa: S101  there is a path
        for manifest in objects(iter(helm.render(path))):
            for reference, where in walked(manifest):
                whole = str(references.parse(reference))
                yield WantedImage(whole, (Found(f"{place}: {where}"),))


def wheels(given: Iterable[Path]) -> Iterator[WantedFile]:
    """Wheels of `--wheel PATH`.

    Raises:
        InputError: one is not there, or is no wheel.
    """
    for path in given:
        try:
            name, version, _, _ = parse_wheel_filename(path.name)
        except InvalidWheelFilename as error:
            raise InputError(f"not a wheel: {error}", where=str(path)) from error
        if not path.is_file():
            raise InputError("the wheel does not exist", where=str(path))
        found = (Found(f"--wheel {path}"),)
        yield WantedFile("wheel", str(name), str(version), path.name, f"file:{path}", found)


def _file(path: Path, name: str, given: Path) -> WantedFile:
    found = (Found(f"--file {given}"),)
    return WantedFile("file", name, "", path.name, f"file:{path}", found)


def _chart(path: Path) -> tuple[str, str]:
    try:
        if path.is_dir():
            text = (path / "Chart.yaml").read_bytes()
        else:
            with tarfile.open(path, "r:gz") as packed:
                heads = [n for n in packed.getnames() if n.count("/") == 1]
                name = next(n for n in heads if n.endswith("/Chart.yaml"))
                member = packed.extractfile(name)
                text = member.read() if member else b""
        chart = yaml.safe_load(text)
        return str(chart["name"]), str(chart["version"])
    except (OSError, tarfile.TarError, StopIteration, KeyError, TypeError, yaml.YAMLError) as error:
        hint = "give a folder with Chart.yaml, or what `helm package` wrote"
        raise InputError("not a Helm chart", where=str(path), hint=hint) from error
