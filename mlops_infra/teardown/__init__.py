"""Takes a platform away in order and says what remains: nothing, or a list."""

from mlops_infra.teardown.down import take_down
from mlops_infra.teardown.model.options import DownOptions
from mlops_infra.teardown.model.result import DownResult
from mlops_infra.teardown.removal.guard import RemovalGuard

__all__ = ["DownOptions", "DownResult", "RemovalGuard", "take_down"]
