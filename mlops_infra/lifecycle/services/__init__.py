"""Clients for the platform's services: where they are, how to get in, what they store."""
