"""A registry in the place of all others, for commands that a test starts."""

from __future__ import annotations

from pathlib import Path

from mlops_infra import contract, places

_OF_IMAGES = ("blobs", "layers", "layouts", "locks", "scratch")


def mirrored(folder: Path, registry: str) -> dict[str, str]:
    """Variables for commands that take upstream's images from `registry` alone.

    What registries have answered and given makes components real, in every stack that shares the
    cache. So these commands get a cache that shares all the rest.

    Args:
        folder: for the cache and the configuration; they are made.
        registry: `HOST:PORT`, or a URL where it speaks TLS.
    """
    hosts = folder / "registries" / "_default"
    hosts.mkdir(parents=True)
    url = registry if "://" in registry else f"http://{registry}"
    (hosts / "hosts.toml").write_text(f'[host."{url}"]\n', "utf-8")
    shared, cache = places.cache(), folder / "cache"
    (cache / "images").mkdir(parents=True)
    for part in _OF_IMAGES:
        (shared / "images" / part).mkdir(parents=True, exist_ok=True)
        (cache / "images" / part).symlink_to(shared / "images" / part)
    for each in shared.iterdir():
        if each.name != "images":
            (cache / each.name).symlink_to(each)
    return {
        contract.REGISTRIES_VARIABLE: str(hosts.parent),
        contract.CACHE_VARIABLE: str(cache),
        "DOCKER_CONFIG": str(hosts.parent),  # no login of whoever runs the tests
    }
