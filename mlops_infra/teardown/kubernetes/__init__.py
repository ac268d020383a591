"""The steps of a teardown that work on a Kubernetes cluster."""
