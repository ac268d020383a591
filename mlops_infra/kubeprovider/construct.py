"""`kubernetes:helm.sh/v4:Chart`: a component whose children are the chart's objects."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import grpc

from mlops_infra.kubeprovider import protos
from mlops_infra.kubeprovider.cluster import Cluster
from mlops_infra.kubeprovider.engine_log import EngineLog
from mlops_infra.kubeprovider.helm import ChartRequest, render
from mlops_infra.kubeprovider.install import OFFICIAL_VERSION
from mlops_infra.kubeprovider.kinds import to_type
from mlops_infra.kubeprovider.manifests import key, parse, with_annotation
from mlops_infra.kubeprovider.objects import Object, annotation, name_of, namespace_of, normalized
from mlops_infra.kubeprovider.ordering import dependencies
from mlops_infra.kubeprovider.problems import ProviderError
from mlops_infra.kubeprovider.readiness import SKIP
from mlops_infra.kubeprovider.secrecy import mark
from mlops_infra.kubeprovider.values import (
    RESOURCE,
    SIGNATURE,
    Tree,
    encode,
    has_unknown,
    plain,
)

CHART = "kubernetes:helm.sh/v4:Chart"
_POLICY = "helm.sh/resource-policy"
_UNSUPPORTED = ("postRenderer", "keyring", "verify", "plainHttp")


def construct(request: Any, inputs: dict[str, Tree], cluster: Cluster, log: EngineLog) -> Any:
    """Register the component and its children with the engine.

    Raises:
        ProviderError: the chart cannot be rendered, or a child failed.
    """
    if request.type != CHART:
        raise ProviderError(f"{request.type} needs the official Kubernetes provider")
    with grpc.insecure_channel(request.monitorEndpoint) as channel:
        monitor = protos.resource_grpc.ResourceMonitorStub(channel)
        urn = _register_component(monitor, request)
        if has_unknown(inputs):
            log.warning(
                "inputs are not known yet: this preview leaves the chart's objects out", urn
            )
            children: list[Tree] = []
        else:
            chart = _chart_request(request.name, plain(inputs), cluster)
            objects = _objects(chart, plain(inputs), cluster)
            prefix = plain(inputs).get("resourcePrefix", request.name)
            children = _Family(monitor, request, urn, prefix, log).register(objects)
        outputs = encode({"resources": children})
        monitor.RegisterResourceOutputs(
            protos.resource.RegisterResourceOutputsRequest(urn=urn, outputs=outputs)
        )
    return protos.provider.ConstructResponse(urn=urn, state=outputs)


def _chart_request(name: str, inputs: dict[str, Any], cluster: Cluster) -> ChartRequest:
    for key_ in _UNSUPPORTED:
        if inputs.get(key_):
            raise ProviderError(f"{CHART}: {key_} needs the official Kubernetes provider")
    switches = {
        "--include-crds": not inputs.get("skipCrds"),
        "--skip-crds": inputs.get("skipCrds"),
        "--devel": inputs.get("devel"),
        "--dependency-update": inputs.get("dependencyUpdate"),
    }
    return ChartRequest(
        name=inputs.get("name") or name,
        chart=str(inputs.get("chart") or ""),
        namespace=inputs.get("namespace") or cluster.default_namespace,
        values=inputs.get("values") or {},
        value_files=tuple(inputs.get("valueYamlFiles") or ()),
        version=inputs.get("version"),
        repository=inputs.get("repositoryOpts") or {},
        flags=tuple(flag for flag, wanted in switches.items() if wanted),
    )


def _objects(chart: ChartRequest, inputs: dict[str, Any], cluster: Cluster) -> list[Object]:
    found = [normalized(obj) for obj in parse(render(cluster, chart))]
    for obj in found:
        cluster.learn_definition(obj)
    spaced = [_in_namespace(cluster, obj, chart.namespace) for obj in found]
    if inputs.get("skipAwait"):
        return [with_annotation(obj, SKIP, "true") for obj in spaced]
    return spaced


def _in_namespace(cluster: Cluster, obj: Object, release: str) -> Object:
    """The release's namespace, not the provider's, is a chart's default."""
    if namespace_of(obj) or cluster.is_namespaced(obj["apiVersion"], obj["kind"]) is not True:
        return cluster.placed(obj)
    return {**obj, "metadata": {**obj["metadata"], "namespace": release}}


def _register_component(monitor: Any, request: Any) -> str:
    """Hand every resource option of the component on to the engine."""
    message = protos.resource.RegisterResourceRequest(
        type=request.type,
        name=request.name,
        parent=request.parent,
        custom=False,
        dependencies=request.dependencies,
        aliases=request.aliases,
        ignoreChanges=request.ignoreChanges,
        replaceOnChanges=request.replaceOnChanges,
        replace_with=request.replace_with,
        deletedWith=request.deletedWith,
        additionalSecretOutputs=request.additionalSecretOutputs,
        acceptSecrets=True,
        acceptResources=True,
        aliasSpecs=True,
    )
    for name in ("protect", "retainOnDelete", "deleteBeforeReplace"):
        if request.HasField(name):
            setattr(message, name, getattr(request, name))
    message.deleteBeforeReplaceDefined = request.HasField("deleteBeforeReplace")
    message.providers.update(request.providers)
    if request.HasField("customTimeouts"):
        for name in ("create", "update", "delete"):
            setattr(message.customTimeouts, name, getattr(request.customTimeouts, name))
    urn: str = _call(monitor.RegisterResource, message).urn
    return urn


class _Family:
    """The children of one component."""

    def __init__(
        self, monitor: Any, request: Any, parent: str, prefix: str, log: EngineLog
    ) -> None:
        self._monitor = monitor
        self._request = request
        self._parent = parent
        self._prefix = prefix
        self._log = log

    def register(self, objects: list[Object]) -> list[Tree]:
        """Register all, each after what it depends on; gives references to them.

        A registration ends when the object is ready, and a Service is ready when its Pods are: so
        all that may run at the same time does.
        """
        edges = dependencies(objects)
        ordered = sorted(objects, key=lambda obj: _depth(edges, key(obj)))
        urns: dict[Any, Future[tuple[str, str]]] = {}
        with ThreadPoolExecutor(max(len(objects), 1)) as pool:
            for obj in ordered:
                needs = [urns[need] for need in edges[key(obj)]]
                urns[key(obj)] = pool.submit(self._child, obj, needs)
        for child in urns.values():
            # the first in order is the one that the others waited for
            child.result()
        return [_reference(*urns[key(obj)].result()) for obj in objects]

    def _child(self, obj: Object, needs: list[Future[tuple[str, str]]]) -> tuple[str, str]:
        space = namespace_of(obj)
        leaf = f"{space}/{name_of(obj)}" if space else name_of(obj)
        message = protos.resource.RegisterResourceRequest(
            type=to_type(obj["apiVersion"], obj["kind"]),
            name=f"{self._prefix}:{leaf}" if self._prefix else leaf,
            parent=self._parent,
            custom=True,
            object=encode(mark(obj, {})),
            provider=self._request.providers.get("kubernetes", ""),
            version=OFFICIAL_VERSION,
            dependencies=[need.result()[0] for need in needs],
            acceptSecrets=True,
            acceptResources=True,
            supportsPartialValues=True,
        )
        policy = annotation(obj, _POLICY)
        if policy == "keep":
            message.retainOnDelete = True
        elif policy:
            self._log.warning(f"helm resource policy '{policy}' is not known", self._parent)
        answer = _call(self._monitor.RegisterResource, message)
        return answer.urn, answer.id


def _depth(edges: dict[Any, set[Any]], mine: Any) -> int:
    return 1 + max((_depth(edges, need) for need in edges[mine]), default=0)


def _reference(urn: str, object_id: str) -> Tree:
    return {
        SIGNATURE: RESOURCE,
        "urn": urn,
        "id": object_id,
        "packageVersion": OFFICIAL_VERSION,
    }


def _call(method: Callable[[Any], Any], message: Any) -> Any:
    try:
        return method(message)
    except grpc.RpcError as error:
        # the engine has reported the child's own failure already
        raise ProviderError(f"{message.name}: {error.details()}") from error
