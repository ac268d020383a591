"""The error of a value that a pattern cannot judge."""

from __future__ import annotations


class InvalidValueError(ValueError):
    """A value that its reader would refuse, and what to write instead.

    Types of the configuration raise it; `explain` adds place and line. A `ValueError`, for pydantic
    collects no others.
    """

    def __init__(self, message: str, advice: str | None = None) -> None:
        super().__init__(message)
        self.advice = advice
