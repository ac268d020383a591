"""What people who write pipelines import.

::

    from mlops_infra.pipelines import Metrics, Model, step

    @step(memory="2Gi")
    def table(data: str = "s3:///wine.csv") -> pd.DataFrame: ...

    @step
    def score(table: pd.DataFrame, c: float = 1.0) -> Metrics: ...

These names stay here when the code behind them moves. `mlops-infra pipeline check FILE` reads such
a file without running it; docs/guide/a-tenants-day.md goes through the whole of it.
"""

from mlops_infra.lifecycle.pipeline.definition.decorator import Metrics, Model, step

__all__ = ["Metrics", "Model", "step"]
