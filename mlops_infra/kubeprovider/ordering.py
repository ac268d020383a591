"""Which objects of a chart must exist before which. Pure."""

from __future__ import annotations

from mlops_infra.kubeprovider.kinds import is_crd
from mlops_infra.kubeprovider.manifests import key
from mlops_infra.kubeprovider.objects import Object, annotation, namespace_of
from mlops_infra.kubeprovider.problems import ProviderError

_DEPENDS_ON = "config.kubernetes.io/depends-on"
_CLUSTER_PARTS, _NAMESPACED_PARTS = 3, 5

Key = tuple[str, str, str, str]


def dependencies(objects: list[Object]) -> dict[Key, set[Key]]:
    """For each object the objects of the same chart that come first.

    Those are its Namespace, its kind's definition, and what it names in the annotation
    `config.kubernetes.io/depends-on`.

    Raises:
        ProviderError: the annotation is not understood, or objects wait for each other.
    """
    keys = {key(obj) for obj in objects}
    definitions = {_defines(obj): key(obj) for obj in objects if _is_definition(obj)}
    edges: dict[Key, set[Key]] = {}
    for obj in objects:
        group, kind, space, _ = mine = key(obj)
        wanted = {("", "Namespace", "", space), *_named(obj)}
        if (group, kind) in definitions:
            wanted.add(definitions[group, kind])
        edges[mine] = (wanted & keys) - {mine}
    _refuse_circles(edges)
    return edges


def _is_definition(obj: Object) -> bool:
    return is_crd(str(obj["apiVersion"]), str(obj["kind"]))


def _defines(crd: Object) -> tuple[str, str]:
    spec = crd.get("spec") or {}
    return str(spec.get("group")), str((spec.get("names") or {}).get("kind"))


def _named(obj: Object) -> set[Key]:
    """`group/kind/name` or `group/namespaces/namespace/kind/name`, several with commas."""
    found: set[Key] = set()
    for text in filter(None, (t.strip() for t in annotation(obj, _DEPENDS_ON).split(","))):
        parts = text.split("/")
        if len(parts) == _CLUSTER_PARTS:
            found.add((parts[0], parts[1], "", parts[2]))
        elif len(parts) == _NAMESPACED_PARTS and parts[1] == "namespaces":
            found.add((parts[0], parts[3], parts[2], parts[4]))
        else:
            raise ProviderError(f"{_DEPENDS_ON} in {namespace_of(obj)}: cannot read '{text}'")
    return found


def _refuse_circles(edges: dict[Key, set[Key]]) -> None:
    left = dict(edges)
    while left:
        free = [mine for mine, needs in left.items() if not needs & left.keys()]
        if not free:
            names = ", ".join(sorted(f"{kind} {name}" for _, kind, _, name in left))
            raise ProviderError(f"these objects of the chart wait for each other: {names}")
        for mine in free:
            del left[mine]
