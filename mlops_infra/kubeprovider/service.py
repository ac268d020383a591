"""The protocol's service: its method names mapped to `Provider`'s, its errors made of ours."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import grpc

from mlops_infra.kubeprovider import protos
from mlops_infra.kubeprovider.failures import UnreadyError, abort, abort_unready
from mlops_infra.kubeprovider.install import OFFICIAL_VERSION
from mlops_infra.kubeprovider.problems import ProviderError
from mlops_infra.kubeprovider.provider import Provider

VERSION = f"{OFFICIAL_VERSION}+stand-in"

Call = Callable[[Any], Any]


def service(provider: Provider) -> Any:
    """The generated service with the provider's methods in the place of its own.

    Methods that are not named here answer UNIMPLEMENTED, which the engine takes for "no".
    """
    calls: dict[str, Call] = {
        "Handshake": _handshake,
        "GetPluginInfo": _plugin_info,
        "GetSchema": _schema,
        "CheckConfig": provider.check_config,
        "DiffConfig": provider.diff_config,
        "Configure": provider.configure,
        "Invoke": provider.invoke,
        "Check": provider.check,
        "Diff": provider.diff,
        "Create": provider.create,
        "Update": provider.update,
        "Read": provider.read,
        "Delete": provider.delete,
        "Construct": provider.construct,
        "Cancel": lambda _request: _cancel(provider),
    }
    generated = protos.provider_grpc.ResourceProviderServicer()
    for name, call in calls.items():
        setattr(generated, name, _answering(provider, call))
    return generated


def _answering(provider: Provider, call: Call) -> Callable[[Any, grpc.ServicerContext], Any]:
    """Turn our failures into the protocol's, without secrets."""

    def answer(request: Any, context: grpc.ServicerContext) -> Any:
        try:
            return call(request)
        except ProviderError as error:
            provider.stop.note_failure()
            return abort(context, provider.redactor.clean(str(error)))
        except UnreadyError as error:
            reasons = [provider.redactor.clean(reason) for reason in error.reasons]
            return abort_unready(context, error, reasons)

    return answer


def _handshake(_request: Any) -> Any:
    return protos.provider.ProviderHandshakeResponse(
        accept_secrets=True, supports_autonaming_configuration=True
    )


def _plugin_info(_request: Any) -> Any:
    return protos.plugin.PluginInfo(version=VERSION)


def _schema(_request: Any) -> Any:
    """Python programs never ask; the engine takes the name from it."""
    text = json.dumps({"name": "kubernetes", "version": OFFICIAL_VERSION})
    return protos.provider.GetSchemaResponse(schema=text)


def _cancel(provider: Provider) -> Any:
    provider.stop.cancel()
    return protos.Empty()
