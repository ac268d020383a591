"""Alarms, and who is told."""
