"""Defaults that depend on another value. All others stand in the models.

They are filled in before validation and shown by `check --effective`, so that nothing later decides
again what an absent key means.
"""

from __future__ import annotations

from mlops_infra.config.language.document import Tree, Value
from mlops_infra.config.language.explain import keys_of
from mlops_infra.config.stack import StackConfig

EMBEDDED_KUBERNETES = "1.34"
"""Minor version of the embedded cluster: the toolchain pins it, a test compares."""


def defaults(tree: Tree) -> Tree:
    """`tree` with the dependent defaults; values that the file has are never touched.

    A section without keys says nothing. Pulumi hands such sections to the program for every key
    that its project file declares, so they count as absent.
    """
    known = set(keys_of(StackConfig))
    done = {key: value for key, value in tree.items() if value != {} or key not in known}
    if "policy" in done and "protect" not in done:
        done["protect"] = done["policy"] in ("standard", "hardened")
    cluster = done.get("cluster")
    if isinstance(cluster, dict) and cluster.get("embedded") is True:
        done["cluster"] = {
            "expose": "nodePort",
            "kubernetes": EMBEDDED_KUBERNETES,
            "crds": "purge",
            **cluster,
        }
        done["network"] = _network(done.get("network"))
    return done


def _network(given: Value) -> Value:
    if given is not None and not isinstance(given, dict):
        return given
    network: Tree = {"images": {}, **(given or {})}
    if isinstance(network["images"], dict):
        network["images"] = {"default": "built", **network["images"]}
    return network
