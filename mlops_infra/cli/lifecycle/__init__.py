"""`mlops-infra lifecycle`."""
