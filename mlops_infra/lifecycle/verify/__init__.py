"""Goes around the whole loop of a running platform and reports what worked."""
