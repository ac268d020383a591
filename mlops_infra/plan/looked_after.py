"""Which custom resources the controllers of a component look after. Pure."""

from __future__ import annotations

from collections.abc import Callable, Collection

from mlops_infra.catalog import load_catalog


def looked_after(names: Collection[str], staying: Collection[str]) -> Callable[[str, str], bool]:
    """Tells by API group and kind what nobody looks after once components are gone.

    Args:
        names: the components that go.
        staying: those that stay, which may look after the same kinds.
    """
    catalog = load_catalog()

    def answers(components: Collection[str], group: str, kind: str) -> bool:
        known = (catalog[name] for name in components if name in catalog)
        return any(group in each.crds and kind in (each.kinds or (kind,)) for each in known)

    return lambda group, kind: answers(names, group, kind) and not answers(staying, group, kind)
