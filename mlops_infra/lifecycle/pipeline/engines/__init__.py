"""Pipelines as the documents of each engine, and runs on this machine."""
