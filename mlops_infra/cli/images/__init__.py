"""`mlops-infra images`."""
