"""The calls about resources: messages in, plain values to `resources`, messages out."""

from __future__ import annotations

import threading
from typing import Any

from mlops_infra.kubeprovider import protos, resources
from mlops_infra.kubeprovider.autonames import Autonames
from mlops_infra.kubeprovider.cluster import Cluster
from mlops_infra.kubeprovider.configuration import ConfigurationMixin
from mlops_infra.kubeprovider.construct import construct
from mlops_infra.kubeprovider.diff import compare
from mlops_infra.kubeprovider.engine_log import EngineLog
from mlops_infra.kubeprovider.failures import UnreadyError
from mlops_infra.kubeprovider.kinds import from_type, is_crd
from mlops_infra.kubeprovider.objects import INPUTS, Object, identity, without_checkpoint
from mlops_infra.kubeprovider.problems import NotReadyError, ProviderError, UnreachableError
from mlops_infra.kubeprovider.secrecy import Redactor, mark
from mlops_infra.kubeprovider.settings import Settings
from mlops_infra.kubeprovider.values import Tree, decode, encode, has_unknown, plain
from mlops_infra.kubeprovider.waits import Stop, Watch


class Provider(ConfigurationMixin):
    """One plugin process; the engine calls it from many threads at once."""

    def __init__(self, engine_address: str) -> None:
        self.redactor = Redactor()
        self.log = EngineLog(engine_address, self.redactor)
        self.stop = Stop()
        self.settings = Settings()
        self._autonames = Autonames()
        self._cluster: Cluster | None = None
        self._lock = threading.Lock()

    def cluster(self) -> Cluster:
        """The cluster, asked once whether it answers.

        Raises:
            ProviderError: the kubeconfig is unusable or the API server does not answer.
        """
        with self._lock:
            if self._cluster is None:
                cluster = Cluster(self.settings, self._on_api_warning)
                cluster.version()
                self._cluster = cluster
            return self._cluster

    def reachable(self) -> Cluster | None:
        """The cluster, or None in a preview that cannot know it yet or where it is away."""
        if self.settings.unknown:
            return None
        try:
            return self.cluster()
        except UnreachableError:
            if self.settings.delete_unreachable or self.settings.skip_update_unreachable:
                return None
            raise

    def check(self, request: Any) -> Any:
        """Give the inputs the form in which they are stored."""
        news = self._decoded(request.news)
        api_version, kind = from_type(request.urn.split("::")[2].split("$")[-1])
        wanted = {"apiVersion": api_version, "kind": kind, **plain(news)}
        cluster = self.reachable()
        inputs = resources.checked(wanted, cluster)
        options = request.autonaming if request.HasField("autonaming") else None
        olds = plain(self._decoded(request.olds))
        inputs = self._autonames.named(inputs, olds, request.urn, options, cluster)
        return protos.provider.CheckResponse(inputs=encode(_marked(inputs, news)))

    def diff(self, request: Any) -> Any:
        """Compare recorded with wanted inputs."""
        state = plain(self._decoded(request.olds))
        old = plain(self._decoded(request.old_inputs)) or state.get(INPUTS) or {}
        new = plain(self._decoded(request.news))
        live = without_checkpoint(state)
        found = compare(old, new, live, self.settings, tuple(request.ignoreChanges))
        answer = protos.provider.DiffResponse(
            changes="DIFF_SOME" if found.changes else "DIFF_NONE",
            replaces=[change.path for change in found.changes if change.replace],
            deleteBeforeReplace=found.delete_before_replace,
            hasDetailedDiff=True,
        )
        for change in found.changes:
            kind = f"{change.kind.value}_REPLACE" if change.replace else change.kind.value
            answer.diffs.append(change.path)
            answer.detailedDiff[change.path].kind = protos.provider.PropertyDiff.Kind.Value(kind)
            answer.detailedDiff[change.path].inputDiff = True
        return answer

    def create(self, request: Any) -> Any:
        """Create an object, or tell what would be created."""
        news = self._decoded(request.properties)
        inputs = plain(news)
        if request.preview:
            outputs = self._previewed(inputs, {}, request.urn)
            return protos.provider.CreateResponse(properties=encode(_marked(outputs, news)))
        watch = self._watch(request.urn)
        try:
            inputs = watch.cluster.placed(inputs)
            outputs = resources.create(watch, inputs, request.urn, request.timeout)
        except NotReadyError as error:
            raise self._unready(identity(error.live), error, news) from error
        self._learn(inputs)
        return protos.provider.CreateResponse(
            id=identity(outputs), properties=encode(_marked(outputs, news))
        )

    def update(self, request: Any) -> Any:
        """Change an object in place, or tell what it would become."""
        news = self._decoded(request.news)
        inputs, state = plain(news), plain(self._decoded(request.olds))
        if request.preview:
            outputs = self._previewed(inputs, state, request.urn)
            return protos.provider.UpdateResponse(properties=encode(_marked(outputs, news)))
        watch = self._watch(request.urn)
        try:
            inputs = watch.cluster.placed(inputs)
            outputs = resources.update(watch, inputs, state, request.urn, request.timeout)
        except NotReadyError as error:
            raise self._unready(request.id, error, news) from error
        self._learn(inputs)
        return protos.provider.UpdateResponse(properties=encode(_marked(outputs, news)))

    def read(self, request: Any) -> Any:
        """Record the live object, for refresh, import and `get`."""
        inputs, state = self._decoded(request.inputs), self._decoded(request.properties)
        cluster = self.reachable()
        if cluster is None:
            if self.settings.delete_unreachable:
                return protos.provider.ReadResponse()
            return protos.provider.ReadResponse(
                id=request.id, properties=request.properties, inputs=request.inputs
            )
        kind = from_type(request.urn.split("::")[2].split("$")[-1])
        known = plain(state) if INPUTS in state else {}
        found = resources.read(cluster, request.id, kind, plain(inputs), known, request.urn)
        if found is None:
            return protos.provider.ReadResponse()
        properties = encode(_marked(found.outputs, inputs or state))
        kept = encode(_marked(found.inputs, inputs or state))
        if found.unready:
            reasons = [f"{request.id} is not ready: {found.unready}"]
            raise UnreadyError(request.id, reasons, properties, kept)
        return protos.provider.ReadResponse(id=request.id, properties=properties, inputs=kept)

    def delete(self, request: Any) -> Any:
        """Delete an object and wait until it is gone."""
        state = plain(self._decoded(request.properties))
        if self.reachable() is None:
            message = "the cluster is unreachable: forgotten without being deleted"
            self.log.warning(message, request.urn)
            return protos.Empty()
        resources.delete(self._watch(request.urn), state, request.urn, request.timeout)
        return protos.Empty()

    def construct(self, request: Any) -> Any:
        """Register a component and its children: Helm charts."""
        cluster = self.reachable()
        if cluster is None:
            raise ProviderError("a chart cannot be rendered while its cluster is unknown or away")
        return construct(request, self._decoded(request.inputs), cluster, self.log)

    def _decoded(self, struct: Any) -> dict[str, Tree]:
        tree = decode(struct)
        self.redactor.learn(tree)
        return tree

    def _watch(self, urn: str) -> Watch:
        return Watch(self.cluster(), self.stop, self.log.progress(urn))

    def _previewed(self, inputs: Object, state: Object, urn: str) -> Object:
        cluster = self.reachable()
        if cluster is None or has_unknown(inputs):
            return inputs
        return resources.preview_outputs(cluster, inputs, state, urn)

    def _learn(self, inputs: Object) -> None:
        """A changed definition may have changed scope and versions."""
        if is_crd(str(inputs.get("apiVersion")), str(inputs.get("kind"))):
            self.cluster().learn_definition(inputs)

    def _unready(self, object_id: str, error: NotReadyError, news: Tree) -> UnreadyError:
        self.stop.note_failure()
        outputs = encode(_marked(error.live, news))
        return UnreadyError(object_id, list(error.reasons), outputs, None)

    def _on_api_warning(self, text: str) -> None:
        if not self.settings.suppress_deprecation_warnings:
            self.log.warning(f"Kubernetes API server: {text}")


def _marked(outputs: Object, source: dict[str, Tree]) -> dict[str, Tree]:
    """Outputs, and the inputs inside them, with their secrets marked."""
    marked = mark(outputs, _with_folded(source))
    if INPUTS in marked:
        marked[INPUTS] = mark(marked[INPUTS], _with_folded(source))
    return marked


def _with_folded(source: dict[str, Tree]) -> dict[str, Tree]:
    """`stringData` ends up in `data`, and so must its secrecy."""
    return {"data": source["stringData"], **source} if "stringData" in source else source
