"""What makes the platform train a model again: causes, rules, claims, and the controller."""

from mlops_infra.lifecycle.triggers.rules import (
    Decision,
    Kind,
    Past,
    Policy,
    Signal,
    Waiting,
    Window,
    decide,
    workflow_name,
)

__all__ = [
    "Decision",
    "Kind",
    "Past",
    "Policy",
    "Signal",
    "Waiting",
    "Window",
    "decide",
    "workflow_name",
]
