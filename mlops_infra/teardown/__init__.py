"""Takes a platform away in order and says what remains: nothing, or a list."""

from mlops_infra.teardown.taking_down import take_down
from mlops_infra.teardown.wishes import TearDown, Wishes

__all__ = ["TearDown", "Wishes", "take_down"]
