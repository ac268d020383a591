"""The buckets of the lake."""
