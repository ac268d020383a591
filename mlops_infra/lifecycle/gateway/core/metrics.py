"""What the gateway counts, in Prometheus' form."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

_BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
_MODEL = ("tenant", "model", "version", "role")


class Metrics:
    """The gateway's own counters; labels come from routes alone, so they stay few."""

    @cached_property
    def registry(self) -> CollectorRegistry:
        """Apart from the library's global one: nothing of other libraries is told."""
        from prometheus_client import CollectorRegistry

        return CollectorRegistry()

    @cached_property
    def requests(self) -> Counter:
        """Answers of model servers."""
        return self._counter(
            "requests", "Requests that a model server was asked, by its status", (*_MODEL, "code")
        )

    @cached_property
    def errors(self) -> Counter:
        """Requests that a server failed on."""
        return self._counter("errors", "Requests that a model server failed on", _MODEL)

    @cached_property
    def latency(self) -> Histogram:
        """Time of model servers."""
        from prometheus_client import Histogram

        return Histogram(
            "mlops_infra_gateway_latency_seconds",
            "Time from asking a model server to its whole answer",
            _MODEL,
            buckets=_BUCKETS,
            registry=self.registry,
        )

    @cached_property
    def refused(self) -> Counter:
        """Requests that no model saw."""
        return self._counter(
            "refused", "Requests refused before any model saw them", ("tenant", "model", "reason")
        )

    @cached_property
    def compared(self) -> Counter:
        """Answers of shadows that were compared."""
        return self._counter(
            "shadow_compared", "Answers compared with the champion's", ("tenant", "model")
        )

    @cached_property
    def disagreed(self) -> Counter:
        """Their disagreement, added up."""
        return self._counter(
            "shadow_disagreement",
            "Sum of the shares of rows on which the shadow disagreed with the champion",
            ("tenant", "model"),
        )

    @cached_property
    def unmirrored(self) -> Counter:
        """Requests that the shadow did not see."""
        return self._counter(
            "shadow_dropped", "Requests not shown to the shadow: it was busy", ("tenant", "model")
        )

    @cached_property
    def logged(self) -> Counter:
        """Rows in the database."""
        return self._counter("log_rows", "Predictions written to the database", ())

    @cached_property
    def unlogged(self) -> Counter:
        """Rows that were lost."""
        return self._counter("log_dropped", "Predictions not written, by reason", ("reason",))

    @cached_property
    def marked(self) -> Counter:
        """Rows that the database could not hold as they were."""
        return self._counter(
            "log_marked", "Predictions written with characters replaced or without content", ()
        )

    @cached_property
    def item_errors(self) -> Counter:
        """Items that a worker failed on; the log names each."""
        return self._counter("item_errors", "Items that a background worker failed on", ("worker",))

    @cached_property
    def restarts(self) -> Counter:
        """Workers that had ended."""
        return self._counter(
            "worker_restarts", "Background workers that ended and were started again", ("worker",)
        )

    @cached_property
    def fallbacks(self) -> Counter:
        """Requests that the champion before answered."""
        return self._counter(
            "fallbacks",
            "Requests answered by the former champion: the champion failed",
            ("tenant", "model"),
        )

    @cached_property
    def unread(self) -> Gauge:
        """Age of the routes."""
        from prometheus_client import Gauge

        return Gauge(
            "mlops_infra_gateway_routes_age_seconds",
            "Time since the routes were last compared with the store",
            registry=self.registry,
        )

    @cached_property
    def waiting(self) -> Gauge:
        """Rows that wait."""
        from prometheus_client import Gauge

        return Gauge(
            "mlops_infra_gateway_log_waiting",
            "Predictions that wait to be written",
            registry=self.registry,
        )

    def text(self) -> bytes:
        """All of it, as Prometheus reads it."""
        from prometheus_client import generate_latest

        return generate_latest(self.registry)

    def _counter(self, name: str, text: str, labels: tuple[str, ...]) -> Counter:
        from prometheus_client import Counter

        return Counter(f"mlops_infra_gateway_{name}_total", text, labels, registry=self.registry)
