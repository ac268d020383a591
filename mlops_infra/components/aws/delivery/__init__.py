"""CI/CD of the pipelines."""
