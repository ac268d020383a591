"""What is taken from a registry runs, and the platform says from where."""

from __future__ import annotations

import pytest

from tests.e2e.platform import Platform
from tests.upstream.conftest import UPSTREAMS


@pytest.mark.parametrize("component", UPSTREAMS)
def test_a_component_of_upstream_is_real_and_says_from_where(
    component: str, registry: str, lacking: dict[str, str], request: pytest.FixtureRequest
) -> None:
    if component in lacking:
        pytest.skip(lacking[component])
    upstream: Platform = request.getfixturevalue("upstream")
    status = upstream.json("status", "-s", upstream.stack)
    (found,) = [each for each in status["components"] if each["name"] == component]
    assert (found["state"], found["why"]) == ("ready", f"{registry.rpartition('/')[2]} has it")
    assert found["ready"] == found["pods"] > 0


def test_nothing_is_left_to_change(upstream: Platform) -> None:
    assert upstream.json("status", "-s", upstream.stack)["problems"] == []
    upstream.settled()
