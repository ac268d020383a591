"""`mlops-infra toolchain`."""
