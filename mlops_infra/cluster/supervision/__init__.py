"""Keeps the processes of a cluster running: the supervisor, and how commands talk to it."""
