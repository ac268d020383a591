"""`mlops-infra pipeline`."""
