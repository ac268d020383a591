"""The provider's configuration, as the official provider names it."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass

from mlops_infra.kubeprovider.values import Tree, has_unknown, plain

_UNSUPPORTED = ("renderYamlToDirectory", "helmReleaseSettings")


@dataclass(frozen=True, slots=True)
class Settings:
    """What a `kubernetes.Provider` resource was given."""

    kubeconfig: str | None = None
    """Path or content; None means `$KUBECONFIG`, `~/.kube/config` or the Pod's own account."""
    context: str | None = None
    cluster: str | None = None
    namespace: str | None = None
    """Namespace of objects that name none; None means the context's, then `default`."""
    cluster_identifier: str | None = None
    unknown: bool = False
    """A preview in which the cluster itself is yet to be made."""
    delete_unreachable: bool = False
    skip_update_unreachable: bool = False
    config_map_mutable: bool = False
    secret_mutable: bool = False
    patch_force: bool = False
    upsert_existing: bool = False
    suppress_deprecation_warnings: bool = False


def read_settings(arguments: Tree) -> Settings:
    """Read the provider's inputs; the environment variables of the official one fill gaps."""
    values = plain(arguments)
    return Settings(
        kubeconfig=_text(values, "kubeconfig"),
        context=_text(values, "context"),
        cluster=_text(values, "cluster"),
        namespace=_text(values, "namespace"),
        cluster_identifier=_text(values, "clusterIdentifier"),
        unknown=has_unknown(arguments),
        delete_unreachable=_flag(values, "deleteUnreachable", "DELETE_UNREACHABLE"),
        skip_update_unreachable=_flag(values, "skipUpdateUnreachable", "SKIP_UPDATE_UNREACHABLE"),
        config_map_mutable=_flag(values, "enableConfigMapMutable", "ENABLE_CONFIGMAP_MUTABLE"),
        secret_mutable=_flag(values, "enableSecretMutable", "ENABLE_SECRET_MUTABLE"),
        patch_force=_flag(values, "enablePatchForce", "ENABLE_PATCH_FORCE"),
        upsert_existing=_flag(values, "upsertExistingObjects", "UPSERT_EXISTING_OBJECTS"),
        suppress_deprecation_warnings=_flag(
            values, "suppressDeprecationWarnings", "SUPPRESS_DEPRECATION_WARNINGS"
        ),
    )


def refused(arguments: Tree) -> list[tuple[str, str]]:
    """Settings that only the official provider honours, as (property, reason)."""
    values = plain(arguments)
    found = [
        (key, "needs the official Kubernetes provider") for key in _UNSUPPORTED if values.get(key)
    ]
    if _text(values, "enableServerSideApply") == "false":
        found.append(("enableServerSideApply", "the stand-in always uses server-side apply"))
    return found


def _text(values: Tree, key: str) -> str | None:
    value = values.get(key)
    if value is None or value == "":
        return None
    return value if isinstance(value, str) else json.dumps(value)


def _flag(values: Tree, key: str, variable: str) -> bool:
    """Flags arrive as JSON text, since provider configuration is text on the wire."""
    text = _text(values, key) or os.environ.get(f"PULUMI_K8S_{variable}", "")
    return text.strip().lower() in {"true", "1"}
