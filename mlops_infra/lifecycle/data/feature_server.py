"""Features of now, from the platform's feature server; their history is in `feature_history`.

Feast answers for a row that it does not know with nulls and the status PRESENT, so what counts are
the values: a row with no value at all is unknown.
"""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from mlops_infra.errors import FoundError, InputError, OperationFailed
from mlops_infra.lifecycle.services.reachability import ANSWER_SECONDS, listening

DEMO_VIEW = "demo_machines"
"""The example view that chart `feast` brings: rows `machine_id` 1 to 200."""


@dataclass(frozen=True, slots=True)
class Online:
    """Feature values by name; each list has one value for each row that was asked for."""

    values: Mapping[str, Sequence[Any]]
    unknown: tuple[int, ...]
    """Positions of the rows that the store does not know."""

    def require(self, entities: Mapping[str, Sequence[Any]]) -> None:
        """Stop here unless every row is known.

        Raises:
            FoundError: naming the first unknown rows.
        """
        if self.unknown:
            names = [
                ", ".join(f"{key} {values[row]}" for key, values in entities.items())
                for row in self.unknown[:5]
            ]
            raise FoundError(
                f"{len(self.unknown)} rows have no features",
                names,
                hint="check that they are in the offline store and materialised",
            )


class FeatureServer:
    """The feature server at one address."""

    def __init__(self, endpoint: str) -> None:
        self._endpoint = endpoint.rstrip("/")

    def reach(self) -> str:
        """Ask for a sign of life; return the names of its views."""
        views = self._ask("/feature-views", None)
        return f"feature views {', '.join(sorted(views)) or 'none'} at {self._endpoint}"

    def online(self, features: Sequence[str], entities: Mapping[str, Sequence[Any]]) -> Online:
        """The features of now.

        Args:
            features: as `view:feature`.
            entities: the columns that name rows, for example `{"machine_id": [1, 2]}`.

        Raises:
            InputError: there is no such feature, or the rows are not named as it wants.
            OperationFailed: the server does not answer.
        """
        body = {"features": list(features), "entities": {k: list(v) for k, v in entities.items()}}
        answer = self._ask("/get-online-features", body)
        try:
            names = answer["metadata"]["feature_names"]
            columns = [each["values"] for each in answer["results"]]
            values = dict(zip(names, columns, strict=True))
        except (KeyError, TypeError, ValueError) as error:
            raise OperationFailed(
                f"the feature server returned no features: {error!r}", where=self._endpoint
            ) from error
        wanted = [name for name in names if name not in entities]
        rows = len(next(iter(entities.values()), ()))
        unknown = tuple(
            row for row in range(rows) if all(values[name][row] is None for name in wanted)
        )
        return Online({name: values[name] for name in wanted}, unknown)

    def historical(
        self, features: Sequence[str], entities: Mapping[str, Sequence[Any]]
    ) -> Mapping[str, Sequence[Any]]:
        """The same features of the same rows from the offline store, which training reads."""
        body = {"features": list(features), "entities": {k: list(v) for k, v in entities.items()}}
        found: Mapping[str, Sequence[Any]] = self._ask("/historical-features", body)["columns"]
        return found

    def parity(self, features: Sequence[str], entities: Mapping[str, Sequence[Any]]) -> str:
        """Compare the online store with the offline store, value by value.

        Args:
            features: as `view:feature`.
            entities: the columns that name rows.

        Returns:
            How many features of how many rows are equal.

        Raises:
            FoundError: a row is unknown, or a value differs.
        """
        online = self.online(features, entities)
        online.require(entities)
        offline = self.historical(features, entities)
        names = [name for name in online.values if name not in entities]
        # the join may give the rows in another order
        key = list(entities)
        places = {
            tuple(offline[name][row] for name in key): row for row in range(len(offline[key[0]]))
        }
        different = [
            f"{name} of {dict(zip(key, at, strict=True))}: {online.values[name][row]} online, "
            f"{offline[name][places[at]]} offline"
            for row, at in enumerate(zip(*entities.values(), strict=True))
            for name in names
            # whole numbers come back from the offline store as floats where a row has none
            if online.values[name][row] != offline[name][places[at]]
        ]
        if different:
            raise FoundError(
                f"{len(different)} features differ from those that training reads",
                different[:5],
                where=self._endpoint,
                hint="check whether the offline store changed since it was materialised",
            )
        return f"{len(names)} features of {len(places)} rows are equal on- and offline"

    def _ask(self, path: str, body: Mapping[str, Any] | None) -> Any:
        url = f"{self._endpoint}{path}"
        listening("the feature server", url)
        data = None if body is None else json.dumps(body).encode()
        # without the type Feast answers 422
        headers = {"Content-Type": "application/json"}
        request = urllib.request.Request(url, data, headers)  # noqa: S310 - from the outputs
        try:
            with urllib.request.urlopen(request, timeout=3 * ANSWER_SECONDS) as answer:  # noqa: S310
                return json.load(answer)
        except urllib.error.HTTPError as error:
            told = error.read(500).decode(errors="replace")
            kind = InputError if error.code in (400, 404, 422) else OperationFailed
            raise kind(
                f"the feature server returned HTTP {error.code} {told}",
                where=url,
                hint="list the views: curl URL/feature-views",
            ) from error
        except (OSError, ValueError) as error:
            raise OperationFailed(
                f"the feature server does not respond: {error}",
                where=url,
                hint="mlops-infra status -s STACK shows its Pod",
            ) from error
