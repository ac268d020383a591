"""Servers of model versions: one interface, and a maker for each serving platform."""
