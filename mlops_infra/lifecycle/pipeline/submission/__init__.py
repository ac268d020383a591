"""Hands a pipeline and its source to a platform."""
