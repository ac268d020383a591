"""Pulumi resources of the platform. Imported by the stacks and the engine only."""
