"""Calls to the cluster's own API server, without the client library."""
