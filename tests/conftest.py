"""Settings of all tiers."""

from __future__ import annotations

import sys

from hypothesis import HealthCheck, settings

# A busy machine is slow, not wrong: what a test says about time it measures itself.
settings.register_profile("house", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("house")

# jsonschema would compile a grammar for two seconds: the format `iri`, which no schema of ours has
sys.modules["rfc3987_syntax"] = None  # type: ignore[assignment]
