"""Measures what the README promises: `make bench`.

Everything runs as a user runs it, as commands in processes of their own, against a sandbox of its
own: a data folder made for this run, so that a platform that is up stays untouched.
"""
