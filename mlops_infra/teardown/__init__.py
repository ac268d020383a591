"""Takes a platform away in order and says what remains: nothing, or a list."""

from mlops_infra.teardown.taking_down import TearDown, Wishes, take_down

__all__ = ["TearDown", "Wishes", "take_down"]
