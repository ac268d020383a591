"""Asks Prometheus."""

from __future__ import annotations

import json
import time
import urllib.parse
import urllib.request
from typing import Any


def query(url: str, expression: str) -> list[dict[str, Any]]:
    """Series of an instant query: `metric` is the labels, `value` the time and the figure."""
    text = urllib.parse.urlencode({"query": expression})
    with urllib.request.urlopen(f"{url}/api/v1/query?{text}", timeout=30) as answer:  # noqa: S310
        found: list[dict[str, Any]] = json.load(answer)["data"]["result"]
    return found


def firing(url: str) -> set[tuple[str, str]]:
    """Alerts that fire, each with its component, Pod or model."""
    with urllib.request.urlopen(f"{url}/api/v1/alerts", timeout=30) as answer:  # noqa: S310
        alerts = json.load(answer)["data"]["alerts"]
    return {
        (each["labels"]["alertname"], _about(each["labels"]))
        for each in alerts
        if each["state"] == "firing"
    }


def _about(labels: dict[str, str]) -> str:
    found = (labels.get(key) for key in ("model", "component", "pod"))
    return next((each for each in found if each), "")


def wait_for(url: str, expression: str, *, patience: float) -> list[dict[str, Any]]:
    """The series of `expression`, once there are any.

    Raises:
        TimeoutError: there are none within `patience` seconds.
    """
    until = time.monotonic() + patience
    while time.monotonic() < until:
        if found := query(url, expression):
            return found
        time.sleep(2)
    raise TimeoutError(expression)
