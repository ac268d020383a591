"""Which processes make Kubernetes, with their certificates and add-ons."""
