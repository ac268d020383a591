"""Puts together what runs in the platform's own Pods."""
