"""Brings a model version from the registry to the traffic, and back."""
