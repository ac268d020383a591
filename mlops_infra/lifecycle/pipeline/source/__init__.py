"""Reads pipelines out of people's Python files, without running them."""
