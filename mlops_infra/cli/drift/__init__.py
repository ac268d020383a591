"""`mlops-infra drift`."""
