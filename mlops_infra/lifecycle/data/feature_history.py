"""The history of a feature view, so that a model learns from the features that it is asked with.

The platform's feature server answers `GET /feature-views` and `POST /historical-features` (chart
`feast`). `feast://VIEW?start=…&end=…` names a view and a span of time in ISO form; without it the
last year.
"""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs

from mlops_infra import contract
from mlops_infra.errors import InputError, OperationFailed
from mlops_infra.lifecycle.services.environment import Environment
from mlops_infra.lifecycle.services.reachability import listening

if TYPE_CHECKING:
    import pandas as pd

SECONDS = 300.0
"""The server joins the whole span in its database before it answers."""
TIME = "event_timestamp"
LARGEST = 512 << 20
"""Bytes of an answer."""


def history(wanted: str, around: Environment) -> pd.DataFrame:
    """Features and labels of all rows of a view in a span of time, in a fixed order.

    Columns that only name a row, and its time, are left out: nothing can be learnt from them.

    Raises:
        InputError: no feature server is named, or it has no such view.
        OperationFailed: it does not answer.
    """
    import pandas as pd

    if around.features_endpoint is None:
        raise InputError(
            "no feature server is configured",
            where=f"environment variable {contract.FEATURES_VARIABLE}",
            hint="set components.feast.state to managed",
        )
    name, _, query = wanted.partition("?")
    span = {key: values[-1] for key, values in parse_qs(query).items()}
    if unknown := sorted(set(span) - {"start", "end"}):
        raise InputError(f"feast:// takes start and end, not '{unknown[0]}'", where=wanted)
    base = around.features_endpoint.rstrip("/")
    views = _ask(f"{base}/feature-views", None)
    if name not in views:
        known = ", ".join(sorted(views)) or "none"
        raise InputError(f"no such feature view: '{name}'", where=base, hint=f"views: {known}")
    features = list(views[name]["features"])
    answer = _ask(
        f"{base}/historical-features", {"features": [f"{name}:{f}" for f in features], **span}
    )
    frame = pd.DataFrame(answer["columns"])
    if frame.empty:
        return frame
    order = [TIME, *views[name]["entities"]]
    # The database gives rows in any order; equal data must give equal splits.
    ordered = frame.sort_values([c for c in order if c in frame.columns], kind="stable")
    return ordered[[f for f in features if f in frame.columns]].reset_index(drop=True)


def _ask(url: str, body: dict[str, Any] | None) -> Any:
    listening("the feature server", url)
    data = None if body is None else json.dumps(body).encode()
    # The scheme comes from the platform's own ConfigMap.
    request = urllib.request.Request(url, data, {"Content-Type": "application/json"})  # noqa: S310
    try:
        with urllib.request.urlopen(request, timeout=SECONDS) as answer:  # noqa: S310
            return json.loads(answer.read(LARGEST))
    except urllib.error.HTTPError as error:
        with error:
            told = error.read(500).decode(errors="replace")
        kind = InputError if error.code in (413, 422) else OperationFailed
        raise kind(f"the feature server returned HTTP {error.code} {told}", where=url) from error
    except (OSError, ValueError) as error:
        raise OperationFailed(f"the feature server does not respond: {error}", where=url) from error
