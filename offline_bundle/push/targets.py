"""Where in the site's registry an image belongs. Pure.

The upstream host stays as the first part of the path, as `mlops_infra.plan.images.roles.relocated`
and the mirrors of `bundle install` have it, so that plan, push and container runtimes agree.
"""

from __future__ import annotations

from dataclasses import dataclass

from mlops_infra.errors import InputError
from mlops_infra.naming import fitted
from offline_bundle import layout, references

_BUILT = layout.CHART_REPOSITORY.partition("/")[0]
"""Host of what is built here: `plan.images.BUILT_REGISTRY`, which takes 0.3 s to load."""
_MAX_REPOSITORY = 255
"""Characters; distribution's limit for host and path together is 255."""


@dataclass(frozen=True, slots=True)
class Target:
    """A registry, and a path within it that everything goes below."""

    host: str
    prefix: str
    """Without slashes around it; may be empty."""

    def repository(self, source: str) -> str:
        """Path for what came from the repository `source` (with its host)."""
        host, _, path = source.partition("/")
        parts = (self.prefix, upstream_path(host), path)
        return fitted("/".join(part for part in parts if part), _MAX_REPOSITORY)


def upstream_path(host: str) -> str:
    """What stands for the registry `host` in a path; a colon cannot be part of one."""
    if host == _BUILT:
        return _BUILT.partition(".")[0]
    return host.replace(":", "-").lower()


def parse(text: str) -> Target:
    """Read `HOST[:PORT][/PREFIX]`.

    Raises:
        InputError: it is none.
    """
    host, _, prefix = text.rstrip("/").partition("/")
    try:
        # the grammar of references knows what a host and a path are
        checked = references.parse(f"{host}/{prefix + '/' if prefix else ''}x")
    except InputError as error:
        raise InputError(f"'{text}' is not a registry", hint="HOST[:PORT][/PREFIX]") from error
    if "://" in text or checked.host != host:
        raise InputError(
            f"'{text}' is not a registry",
            hint="HOST[:PORT][/PREFIX], no scheme; a host without a dot needs its port",
        )
    return Target(host, prefix)
