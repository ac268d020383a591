"""The machine is looked at when the tier has ended: nothing may be left on it."""

from tests.machine import pytest_sessionfinish, pytest_sessionstart

__all__ = ["pytest_sessionfinish", "pytest_sessionstart"]
