"""Scores a table or a bucket's partition with the champion, each row once, into PostgreSQL."""

from mlops_infra.lifecycle.batch.job import BatchJob, BatchResult, Scorer
from mlops_infra.lifecycle.batch.run import each, run

__all__ = ["BatchJob", "BatchResult", "Scorer", "each", "run"]
