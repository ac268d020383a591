"""Runs, models and their versions, as MLflow keeps them."""
