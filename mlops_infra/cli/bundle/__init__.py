"""`mlops-infra bundle`."""
