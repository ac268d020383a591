"""Models of tables: made by name and numbers alone, and measured the same way everywhere."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Literal

from mlops_infra.errors import InputError
from mlops_infra.parameters import ALGORITHMS

if TYPE_CHECKING:
    import pandas as pd

Task = Literal["classification", "regression"]
DIGITS = 12
"""Significant digits of a metric: the last ones depend on the processor."""


def hyperparameters(text: str) -> dict[str, Any]:
    """Read the JSON object that a parameter holds; raises `InputError`."""
    try:
        read = json.loads(text or "{}")
    except ValueError as error:
        raise InputError(
            f"the hyperparameters are not valid JSON: {error}", where=text[:80]
        ) from error
    if not isinstance(read, dict):
        raise InputError("the hyperparameters are not a JSON object", where=text[:80])
    return read


def fit(
    frame: pd.DataFrame,
    target: str,
    *,
    task: Task,
    algorithm: str,
    hyper: Mapping[str, Any],
    seed: int,
) -> Any:
    """Fit a scikit-learn pipeline: fill gaps, scale numbers, encode texts, then the algorithm.

    Raises:
        InputError: no such algorithm, or it does not take these hyperparameters or this table.
    """
    from sklearn.pipeline import Pipeline

    features = frame.drop(columns=[target])
    estimator = _estimator(task, algorithm, hyper, seed)
    model = Pipeline([("prepare", _preparation(features)), ("model", estimator)])
    try:
        return model.fit(features, frame[target])
    except (ValueError, TypeError) as error:
        # scikit-learn tells a bad hyperparameter (InvalidParameterError) and a bad table this way
        raise InputError(
            f"the {algorithm} model cannot be fitted: {str(error).partition(chr(10))[0]}"
        ) from error


def measure(model: Any, frame: pd.DataFrame, target: str, *, task: Task) -> dict[str, float]:
    """Metrics of `model` on rows it has not seen, to `DIGITS` significant digits."""
    from sklearn import metrics

    features, truth = frame.drop(columns=[target]), frame[target]
    told = model.predict(features)
    if task == "regression":
        found = {
            "r2": metrics.r2_score(truth, told),
            "mae": metrics.mean_absolute_error(truth, told),
            "rmse": metrics.root_mean_squared_error(truth, told),
        }
    else:
        chances = model.predict_proba(features)
        found = {
            "accuracy": metrics.accuracy_score(truth, told),
            "f1_macro": metrics.f1_score(truth, told, average="macro"),
            "log_loss": metrics.log_loss(truth, chances, labels=model.classes_),
        }
    return {name: float(f"{float(value):.{DIGITS}g}") for name, value in found.items()}


def divide(
    frame: pd.DataFrame, target: str, *, task: Task, test_size: float, seed: int
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Rows to learn from and rows to be measured on, with equal shares of each class.

    Raises:
        InputError: too few rows, or a class with a single one.
    """
    from sklearn.model_selection import train_test_split

    if not 0 < test_size < 1:
        raise InputError(f"test_size must be between 0 and 1, not {test_size}")
    classes = frame[target] if task == "classification" else None
    try:
        seen, unseen = train_test_split(
            frame, test_size=test_size, random_state=seed, stratify=classes
        )
    except ValueError as error:
        raise InputError(f"the table cannot be split: {error}") from error
    return seen, unseen


def _preparation(features: pd.DataFrame) -> Any:
    from sklearn.compose import ColumnTransformer
    from sklearn.impute import SimpleImputer
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import OneHotEncoder, StandardScaler

    numbers = make_pipeline(SimpleImputer(strategy="median"), StandardScaler())
    texts = [name for name in features.columns if features[name].dtype.kind not in "fiub"]
    if not texts:
        return numbers
    words = make_pipeline(
        SimpleImputer(strategy="most_frequent"),
        OneHotEncoder(handle_unknown="ignore", sparse_output=False),
    )
    others = [name for name in features.columns if name not in texts]
    return ColumnTransformer([("numbers", numbers, others), ("texts", words, texts)])


def _estimator(task: Task, algorithm: str, hyper: Mapping[str, Any], seed: int) -> Any:
    from sklearn import ensemble, linear_model, neighbors

    if algorithm not in ALGORITHMS:
        raise InputError(
            f"no such algorithm: '{algorithm}'", hint=f"there are: {', '.join(ALGORITHMS)}"
        )
    kinds: dict[tuple[str, str], tuple[Any, dict[str, Any]]] = {
        ("linear", "classification"): (linear_model.LogisticRegression, {"max_iter": 500}),
        ("linear", "regression"): (linear_model.Ridge, {}),
        ("forest", "classification"): (ensemble.RandomForestClassifier, {}),
        ("forest", "regression"): (ensemble.RandomForestRegressor, {}),
        ("boosting", "classification"): (ensemble.HistGradientBoostingClassifier, {}),
        ("boosting", "regression"): (ensemble.HistGradientBoostingRegressor, {}),
        ("neighbours", "classification"): (neighbors.KNeighborsClassifier, {}),
        ("neighbours", "regression"): (neighbors.KNeighborsRegressor, {}),
    }
    kind, own = kinds[algorithm, task]
    takes = kind().get_params()
    unknown = sorted(set(hyper) - set(takes))
    if unknown:
        raise InputError(
            f"the {algorithm} model has no hyperparameter '{unknown[0]}'",
            hint=f"it has: {', '.join(sorted(takes))}",
        )
    seeded = {"random_state": seed} if "random_state" in takes else {}
    return kind(**(own | seeded | dict(hyper)))
