"""Nothing of what went wrong may stay on the machine."""

from tests.machine import pytest_sessionfinish, pytest_sessionstart

__all__ = ["pytest_sessionfinish", "pytest_sessionstart"]
