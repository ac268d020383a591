"""Trains one small model, the same one every time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from mlops_infra.lifecycle.data.example import Dataset

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

PARAMETERS: dict[str, float | int] = {"C": 1.0, "max_iter": 500, "test_size": 0.3, "seed": 7}


@dataclass(frozen=True, slots=True)
class Trained:
    """A model, what it was made with, and what it says about rows it has not seen."""

    model: Any
    """A fitted scikit-learn estimator."""
    parameters: dict[str, float | int]
    metrics: dict[str, float]
    unseen: NDArray[np.float64]
    probabilities: NDArray[np.float64]
    """The model's own answer for `unseen`, which a copy of it must repeat to the last bit."""


def train(data: Dataset) -> Trained:
    """Fit a scaled logistic regression and measure it on rows held back."""
    from sklearn.linear_model import LogisticRegression
    from sklearn.metrics import accuracy_score, log_loss
    from sklearn.model_selection import train_test_split
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    seen, unseen, labels, hidden = train_test_split(
        data.features,
        data.labels,
        test_size=PARAMETERS["test_size"],
        random_state=PARAMETERS["seed"],
        stratify=data.labels,
    )
    regression = LogisticRegression(C=PARAMETERS["C"], max_iter=int(PARAMETERS["max_iter"]))
    model = make_pipeline(StandardScaler(), regression).fit(seen, labels)
    probabilities = model.predict_proba(unseen)
    return Trained(
        model=model,
        parameters=dict(PARAMETERS),
        metrics={
            "accuracy": float(accuracy_score(hidden, model.predict(unseen))),
            "log_loss": float(log_loss(hidden, probabilities)),
        },
        unseen=unseen,
        probabilities=probabilities,
    )
