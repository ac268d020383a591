"""The calls about the provider itself: how it is configured, and for which cluster."""

from __future__ import annotations

from typing import Any

from mlops_infra.kubeprovider import protos
from mlops_infra.kubeprovider.engine_log import EngineLog
from mlops_infra.kubeprovider.install import ANNOUNCEMENT
from mlops_infra.kubeprovider.kubeconfig import server_of
from mlops_infra.kubeprovider.problems import ProviderError
from mlops_infra.kubeprovider.secrecy import Redactor
from mlops_infra.kubeprovider.settings import Settings, read_settings, refused
from mlops_infra.kubeprovider.values import Tree, decode, plain


class ConfigurationMixin:
    """Half of `Provider`; the other half works on resources."""

    log: EngineLog
    redactor: Redactor
    settings: Settings

    def check_config(self, request: Any) -> Any:
        """Refuse settings that only the official provider honours."""
        failures = [
            protos.provider.CheckFailure(property=name, reason=reason)
            for name, reason in refused(decode(request.news))
        ]
        return protos.provider.CheckResponse(inputs=request.news, failures=failures)

    def diff_config(self, request: Any) -> Any:
        """Another cluster means that every object must be made anew there."""
        old = decode(request.old_inputs if request.old_inputs.fields else request.olds)
        new = decode(request.news)
        changed = sorted(k for k in {*old, *new} if plain(old.get(k)) != plain(new.get(k)))
        changed = [key for key in changed if key not in {"version", "pluginDownloadURL"}]
        replaces = changed[:1] if changed and _is_other_cluster(old, new) else []
        return protos.provider.DiffResponse(
            changes="DIFF_SOME" if changed else "DIFF_NONE", diffs=changed, replaces=replaces
        )

    def configure(self, request: Any) -> Any:
        """Take the settings, and say that this is the stand-in."""
        arguments = decode(request.args)
        self.redactor.learn(arguments)
        self.settings = read_settings(arguments)
        self.log.warning(ANNOUNCEMENT)
        return protos.provider.ConfigureResponse(
            acceptSecrets=True, supportsPreview=True, supports_autonaming_configuration=True
        )

    def invoke(self, request: Any) -> Any:
        """Functions are not part of what the platform's stacks use."""
        raise ProviderError(f"{request.tok} needs the official Kubernetes provider")


def _is_other_cluster(old: Tree, new: Tree) -> bool:
    one, other = read_settings(old), read_settings(new)
    if one.unknown or other.unknown:
        return False
    if one.cluster_identifier or other.cluster_identifier:
        return one.cluster_identifier != other.cluster_identifier
    servers = server_of(one), server_of(other)
    return None not in servers and servers[0] != servers[1]
