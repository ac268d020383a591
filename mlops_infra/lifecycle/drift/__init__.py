"""Are the inputs of production still like the data that the model was trained on?"""

from mlops_infra.lifecycle.drift.compare import ColumnDrift, Comparison, compare
from mlops_infra.lifecycle.drift.job import DriftJob, DriftResult, run

__all__ = ["ColumnDrift", "Comparison", "DriftJob", "DriftResult", "compare", "run"]
