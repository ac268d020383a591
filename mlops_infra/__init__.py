"""mlops-infra: one typed configuration per environment, a whole MLOps platform."""

__version__ = "0.1.0"
