"""The catalogue, its tables and rights, and ETL jobs."""
