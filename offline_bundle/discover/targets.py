"""The machine of the closed side as installers of wheels describe it. Pure."""

from __future__ import annotations

import re

from packaging.tags import Tag, compatible_tags, cpython_tags

from mlops_infra.errors import InputError

GLIBC = (2, 36)
"""Of Debian 12, the oldest system that the kit's own images are made of."""

_MACHINES = {"linux/amd64": "x86_64", "linux/arm64": "aarch64"}
_LEGACY = {(2, 17): "manylinux2014", (2, 12): "manylinux2010", (2, 5): "manylinux1"}


def machine(platform: str) -> str:
    """`x86_64` of `linux/amd64`.

    Raises:
        InputError: wheels are not chosen for this platform.
    """
    if platform not in _MACHINES:
        hint = f"known: {', '.join(_MACHINES)}"
        raise InputError(f"wheels cannot be chosen for '{platform}'", hint=hint)
    return _MACHINES[platform]


def version(python: str) -> tuple[int, int]:
    """(3, 11) of `3.11`.

    Raises:
        InputError: it is no version.
    """
    if not re.fullmatch(r"3\.\d{1,2}", python):
        raise InputError(f"'{python}' is not a Python version", hint="use for example 3.11")
    major, minor = python.split(".")
    return int(major), int(minor)


def tags(platform: str, python: str) -> list[Tag]:
    """Tags of wheels that run there, the best first."""
    own = machine(platform)
    platforms = []
    for minor in range(GLIBC[1], 4, -1):
        platforms.append(f"manylinux_2_{minor}_{own}")
        if (2, minor) in _LEGACY:
            platforms.append(f"{_LEGACY[2, minor]}_{own}")
    platforms.append(f"linux_{own}")
    wanted = version(python)
    interpreter = f"cp{wanted[0]}{wanted[1]}"
    return [
        *cpython_tags(wanted, platforms=platforms),
        *compatible_tags(wanted, interpreter=interpreter, platforms=platforms),
    ]


def markers(platform: str, python: str) -> dict[str, str]:
    """The environment that markers of requirements are evaluated in."""
    version(python)
    return {
        "implementation_name": "cpython",
        "implementation_version": f"{python}.0",
        "os_name": "posix",
        "platform_machine": machine(platform),
        "platform_python_implementation": "CPython",
        "platform_release": "",
        "platform_system": "Linux",
        "platform_version": "",
        "python_full_version": f"{python}.0",
        "python_version": python,
        "sys_platform": "linux",
        "extra": "",
    }
