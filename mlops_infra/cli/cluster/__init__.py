"""`mlops-infra cluster`."""
