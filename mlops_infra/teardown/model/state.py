"""What a teardown reads from the state alone. Pure: the state is plain data here."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from mlops_infra.plan.stateful import stateful_object

APPLICATION = "mlops-infra:onprem:Application"


@dataclass(frozen=True, slots=True)
class Deployed:
    """The parts of an exported state that matter here."""

    resources: tuple[Mapping[str, Any], ...]

    @classmethod
    def of(cls, exported: Mapping[str, Any]) -> Deployed:
        """From the document that `pulumi stack export` gives."""
        deployment = exported.get("deployment") or {}
        return cls(tuple(deployment.get("resources") or ()))

    @property
    def empty(self) -> bool:
        """Whether nothing but the stack itself is recorded."""
        return all(each["type"] == "pulumi:pulumi:Stack" for each in self.resources)

    @property
    def outputs(self) -> Mapping[str, Any]:
        """What the last run that ended well has promised."""
        stacks = (each for each in self.resources if each["type"] == "pulumi:pulumi:Stack")
        return next((each.get("outputs") or {} for each in stacks), {})

    @property
    def namespaces(self) -> tuple[str, ...]:
        """Namespaces that the stack made."""
        made = (each for each in self.resources if each["type"] == "kubernetes:core/v1:Namespace")
        return tuple(dict.fromkeys(str(each.get("id", "")) for each in made))

    def protected(self) -> tuple[str, ...]:
        """Stateful objects that Pulumi's `protect` holds, as `component/Kind/name`."""
        held = [each for each in self.resources if each.get("protect")]
        return tuple(dict.fromkeys(_called(each) for each in held))

    def waves(self) -> tuple[tuple[str, ...], ...]:
        """Components in the order to drain them: those that nobody left needs any more, first."""
        needs = _needs(self.resources)
        waves: list[tuple[str, ...]] = []
        while needs:
            still = {need for wanted in needs.values() for need in wanted}
            wave = tuple(name for name in needs if name not in still) or tuple(needs)
            waves.append(wave)
            needs = {name: wanted for name, wanted in needs.items() if name not in wave}
        return tuple(waves)


def _needs(resources: Iterable[Mapping[str, Any]]) -> dict[str, set[str]]:
    applications = {each["urn"]: each for each in resources if each["type"] == APPLICATION}
    return {
        _name(urn): {_name(on) for on in each.get("dependencies") or () if on in applications}
        for urn, each in applications.items()
    }


def _called(resource: Mapping[str, Any]) -> str:
    known = stateful_object(resource["type"], resource.get("inputs") or {})
    return str(known) if known else _name(resource["urn"])


def _name(urn: str) -> str:
    return urn.rpartition("::")[2]
