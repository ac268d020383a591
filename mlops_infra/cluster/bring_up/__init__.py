"""Starts a cluster step by step."""
