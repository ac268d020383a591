"""The guard of `up`: what a line taken out of the stack's file would take from people."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cached_property

from mlops_infra import contract
from mlops_infra.engine import Engine, Result
from mlops_infra.engine.aws_live import ENDPOINT
from mlops_infra.engine.object_key import ObjectKey
from mlops_infra.engine.prepare import Asked
from mlops_infra.errors import FoundError
from mlops_infra.kube import Cluster
from mlops_infra.kube.survey import Found
from mlops_infra.plan import looked_after
from mlops_infra.progress import Sink
from mlops_infra.teardown.kubernetes import custom_resources
from mlops_infra.teardown.kubernetes.access import open_cluster
from mlops_infra.teardown.kubernetes.blockers import Blockers
from mlops_infra.teardown.kubernetes.drain import drain
from mlops_infra.teardown.model.state import Deployed
from mlops_infra.teardown.removal import reading
from mlops_infra.teardown.removal.loss import Loss, by_kind, refuse

Holdings = Callable[[str], Sequence[str]]
"""What a tenant has in the stores, one line each, and what becomes of it."""
_TENANT = contract.tenant_namespace("")
_GOES = frozenset({"delete", "replace"})


class RemovalGuard:
    """Judges one run; the cluster is asked only where something goes.

    Args:
        want: what the stack's file asks for.
        engine: has read the state.
        sink: takes the progress.
        holdings: asks the stores.
    """

    def __init__(self, want: Asked, engine: Engine, sink: Sink, holdings: Holdings) -> None:
        self._want = want
        self._engine = engine
        self._sink = sink
        self._holdings = holdings
        self.allowed: tuple[str, ...] = ()
        """What `allow` has let go, in words and numbers."""

    def look(self, planned: Result) -> list[str]:
        """What people would lose, in words and numbers, and what allows it."""
        losses = self._losses(planned)
        allowed = self._want.config.allow_removal
        lacking = [each.key for each in losses if each.key not in allowed]
        more = [f"up refuses this unless mlops-infra:allowRemoval has {', '.join(lacking)}"]
        return [*map(str, losses), *(more if lacking else [])]

    def allow(self, planned: Result) -> None:
        """Refuse what the stack's file does not name.

        Raises:
            InputError: with all of it.
        """
        losses = self._losses(planned)
        refuse(losses, self._want.config.allow_removal, self._want.stack)
        self.allowed = tuple(map(str, losses))

    def make_way(self) -> None:
        """End models and whatever else has a controller, while the controller still runs.

        Raises:
            FoundError: it does not end, or belongs to somebody outside of the stack.
        """
        if not self._tenants and not self._components:
            return
        spaces = [contract.tenant_namespace(name) for name in self._tenants]
        if spaces:
            custom_resources.remove(self._blockers(spaces))
        foreign = [each for each in self._used if each.namespace not in self._deployed.namespaces]
        if foreign:
            raise FoundError(
                "custom resources outside of the stack would lose their controller",
                by_kind(foreign),
                hint="delete them, or leave the component in the stack file",
            )
        if self._used:
            kinds = {(each.version.rpartition("/")[0], each.kind) for each in self._used}
            custom_resources.remove(
                self._blockers(self._deployed.namespaces),
                only=lambda kind: (kind.group, kind.name) in kinds,
            )
        going = set(self._components)
        waves = [tuple(n for n in wave if n in going) for wave in self._deployed.waves()]
        drain(self._cluster, self._want.stack, [wave for wave in waves if wave], self._sink)

    def _blockers(self, spaces: Sequence[str]) -> Blockers:
        return Blockers(self._cluster, self._want.stack, spaces, self._sink, remove=False)

    def _losses(self, planned: Result) -> list[Loss]:
        if self._engine.record.site is not None:
            return [*_of_endpoints(planned), *self._of_environment(planned)]
        return [
            *map(self._of_tenant, self._tenants),
            *self._of_components(),
            *self._of_quotas(planned),
            *self._of_environment(planned),
        ]

    def _of_tenant(self, name: str) -> Loss:
        lines = [*reading.in_namespace(self._cluster, contract.tenant_namespace(name))]
        lines += self._holdings(name)
        known = {each.removeprefix(_TENANT) for each in self._deployed.namespaces}
        if fresh := sorted(self._want.config.tenants.keys() - known):
            lines.append(
                f"a renamed tenant is another one: {', '.join(fresh)} begins empty, nothing of "
                f"{name} moves there"
            )
        return Loss(f"tenant/{name}", f"tenant {name} is removed", tuple(lines))

    def _of_components(self) -> list[Loss]:
        found = []
        for name in self._components:
            rest = [each for each in self._wanted if each != name]
            of_kind = looked_after([name], rest)
            lines = by_kind(e for e in self._used if of_kind(e.version.rpartition("/")[0], e.kind))
            if lines:
                subject = f"component {name} is removed, and what it looks after is deleted"
                found.append(Loss(f"component/{name}", subject, tuple(lines)))
        return found

    def _of_quotas(self, planned: Result) -> list[Loss]:
        found = []
        for change in planned.changes:
            if change.kind != "ResourceQuota" or change.key is None:
                continue
            if lines := reading.exceeded(self._cluster, change):
                tenant = change.key.namespace.removeprefix(_TENANT)
                subject = f"the quota of tenant {tenant} is smaller than its use"
                lines.append("Pods that run stay, new and restarted ones are refused")
                found.append(Loss(f"quota/{tenant}", subject, tuple(lines)))
        return found

    def _of_environment(self, planned: Result) -> list[Loss]:
        before, after = self._deployed.outputs.get("environment"), self._want.config.environment
        number = sum(planned.counts.get(op, 0) for op in _GOES)
        if before in (None, after) or not number:
            return []
        line = f"{number} resources are deleted or replaced, with what they hold"
        return [Loss("environment", f"environment {before} becomes {after}", (line,))]

    @cached_property
    def _cluster(self) -> Cluster:
        record = self._engine.record
        return open_cluster(record.kubeconfig, record.context)

    @cached_property
    def _deployed(self) -> Deployed:
        return Deployed(tuple(self._engine.resources))

    @cached_property
    def _wanted(self) -> list[str]:
        return [each.name for each in self._want.plan.components]

    @cached_property
    def _tenants(self) -> list[str]:
        """Tenants that the state has and the file has not."""
        spaces = (each for each in self._deployed.namespaces if each.startswith(_TENANT))
        names = (each.removeprefix(_TENANT) for each in spaces)
        return [name for name in names if name not in self._want.config.tenants]

    @cached_property
    def _components(self) -> list[str]:
        """Components that the state has and the plan has not."""
        known = (name for wave in self._deployed.waves() for name in wave)
        return [name for name in known if name not in self._wanted]

    @cached_property
    def _used(self) -> list[Found]:
        """What the components that go look after and the stack has not made itself."""
        if not self._components:
            return []
        keys = (ObjectKey.of(e["type"], e.get("outputs") or {}) for e in self._deployed.resources)
        ours = ((key.kind, key.namespace, key.name) for key in keys if key)
        counts = looked_after(self._components, self._wanted)
        return reading.looked_after(self._cluster, counts, ours)


def _of_endpoints(planned: Result) -> list[Loss]:
    """SageMaker's endpoints that are deleted."""
    found = []
    for change in planned.changes:
        if change.type == ENDPOINT and change.op == "delete":
            name = str(change.old.get("name") or change.name)
            line = "whoever asks it for predictions gets none"
            found.append(Loss(f"endpoint/{name}", f"the endpoint {name} is removed", (line,)))
    return found
