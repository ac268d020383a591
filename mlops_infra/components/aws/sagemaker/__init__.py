"""Pipelines, the registry, features, endpoints, batches and monitors."""
