"""Marks ordinary functions as the steps of a pipeline.

::

    from mlops_infra.pipelines import Metrics, step

    @step(memory="2Gi")
    def table(data: str = "s3://tenant-demo/wine.csv") -> pd.DataFrame: ...

    @step
    def score(table: pd.DataFrame, c: float = 1.0) -> Metrics: ...

An argument with a default is a parameter of the pipeline. One without is the result of the step of
that name. The mark changes nothing: in a notebook the function is called as before.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar, overload

F = TypeVar("F", bound=Callable[..., Any])

Metrics = dict[str, float]
"""Numbers by name; as the return type of a step it says that they are metrics of the run."""
Model = Any
"""A fitted scikit-learn estimator, as the return type of a step that makes one."""

OPTIONS: dict[str, type] = {
    "cpu": str,
    "memory": str,
    "retries": int,
    "timeout_seconds": int,
    "cache": bool,
}
"""What `@step(...)` takes; read from the source, so each value must be written out."""


@overload
def step(function: F, /) -> F: ...
@overload
def step(
    *,
    cpu: str = ...,
    memory: str = ...,
    retries: int = ...,
    timeout_seconds: int = ...,
    cache: bool = ...,
) -> Callable[[F], F]: ...
def step(function: F | None = None, /, **options: Any) -> F | Callable[[F], F]:
    """Mark a function as a step.

    Args:
        function: the function, where the mark is written without brackets.
        options: `cpu` and `memory` that it asks for and gets at most (of memory), `retries`,
            `timeout_seconds`, and `cache`: equal code and inputs need not run again.

    Raises:
        TypeError: no such option.
    """
    unknown = sorted(set(options) - set(OPTIONS))
    if unknown:
        raise TypeError(f"@step takes {', '.join(OPTIONS)}, not {unknown[0]}")

    def mark(marked: F) -> F:
        return marked

    return mark if function is None else mark(function)
