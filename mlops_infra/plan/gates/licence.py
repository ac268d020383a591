"""The licence gate: what may be deployed, and so shipped, under the stack's policy.

Policies, each with what the one before lets pass (docs/decisions/0003-licence-gate.md):

* permissive: duties end with the notice files.
* commercial: also copyleft that ends at the program's own border (MPL, LGPL, GPL of a server that
  is shipped unchanged with its source on offer).
* any: everything; what the other two would refuse becomes a finding.

AGPL, source-available licences (BUSL, SSPL, RSAL, Elastic) and licences that nobody here has read
pass `permissive` and `commercial` only if the owner names them in `licence.accept`.
"""

from __future__ import annotations

from mlops_infra.catalog import Component, Licence, alternatives
from mlops_infra.config import LicenceConfig
from mlops_infra.plan.model.choices import Choice
from mlops_infra.plan.model.planned import Finding
from mlops_infra.plan.model.refusals import Refusals

PERMISSIVE = frozenset(
    {
        "0BSD",
        "Apache-2.0",
        "BlueOak-1.0.0",
        "BSD-2-Clause",
        "BSD-3-Clause",
        "BSL-1.0",
        "CC0-1.0",
        "ISC",
        "MIT",
        "MIT-0",
        "PostgreSQL",
        "PSF-2.0",
        "Python-2.0",
        "Unicode-3.0",
        "Unlicense",
        "Zlib",
    }
)
"""BSL-1.0 is Boost's licence; the Business Source License is BUSL-1.1."""

BOUNDED = frozenset(
    {
        "CDDL-1.0",
        "EPL-2.0",
        "GPL-2.0-only",
        "GPL-2.0-or-later",
        "GPL-3.0-only",
        "GPL-3.0-or-later",
        "LGPL-2.1-only",
        "LGPL-2.1-or-later",
        "LGPL-3.0-only",
        "LGPL-3.0-or-later",
        "MPL-2.0",
    }
)
"""Copyleft that does not reach what talks to the program over a network."""

_PASSING = {"permissive": PERMISSIVE, "commercial": PERMISSIVE | BOUNDED}


def judge(choices: tuple[Choice, ...], policy: LicenceConfig, refusals: Refusals) -> None:
    """Refuse, or note, every component whose licence the policy does not take."""
    for choice in choices:
        try:
            licences = [choice.component.licence(choice.version)]
        except (LookupError, ValueError) as error:
            refusals.add((*choice.path, "version"), str(error))
            continue
        licences += [image.licence for image in choice.component.images if image.licence]
        for licence in licences:
            _judge(choice, licence, policy, refusals)
        _acknowledged(choice, policy, refusals)
    _unused(choices, policy, refusals)


def passes(spdx: str, policy: LicenceConfig, name: str) -> bool:
    """Whether the policy takes a component `name` under the SPDX expression `spdx`."""
    if policy.policy == "any" or name in policy.accept or spdx in policy.accept:
        return True
    passing = _PASSING[policy.policy] | set(policy.accept)
    return any(choice <= passing for choice in alternatives(spdx))


def _judge(choice: Choice, licence: Licence, policy: LicenceConfig, refusals: Refusals) -> None:
    component = choice.component
    # to know of what is old is not to take what came after under another licence
    name = component.name if component.acknowledge is None else licence.spdx
    title = f"{component.title} {choice.version} is under {licence.spdx}"
    if not passes(licence.spdx, policy, name):
        message = f"{title}, which policy '{policy.policy}' refuses (source: {licence.source})"
        refusals.add(choice.path, message, _advice(component, name))
    elif not any(found <= PERMISSIVE for found in alternatives(licence.spdx)):
        message = f"{title}; policy '{policy.policy}' allows it (source: {licence.source})"
        refusals.note(Finding("licence", ".".join(choice.path), message))


def _acknowledged(choice: Choice, policy: LicenceConfig, refusals: Refusals) -> None:
    component = choice.component
    if component.acknowledge is None or component.name in policy.accept:
        return
    message = (
        f"{component.title} {choice.version} needs an explicit choice: {component.acknowledge}"
    )
    refusals.add(choice.path, message, _advice(component, component.name))


def _advice(component: Component, name: str) -> str:
    other = f"'{component.instead}'" if component.instead else "another component"
    return f"choose {other}, or accept '{name}' in licence.accept"


def _unused(choices: tuple[Choice, ...], policy: LicenceConfig, refusals: Refusals) -> None:
    names = {choice.component.name for choice in choices}
    spdx = {licence.spdx for choice in choices for licence in choice.component.licences}
    spdx |= {i.licence.spdx for choice in choices for i in choice.component.images if i.licence}
    known = names | spdx | {each for text in spdx for part in alternatives(text) for each in part}
    for index, accepted in enumerate(policy.accept):
        if accepted not in known:
            message = f"'{accepted}' accepts nothing that this stack deploys"
            refusals.note(Finding("licence", f"licence.accept[{index}]", message))
