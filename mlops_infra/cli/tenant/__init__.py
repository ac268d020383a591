"""`mlops-infra tenant`."""
