"""What every request passes, however it came in: tokens, routes, limits, checks, the log."""
