"""What a teardown is asked for, what it reads from the state, and what it came to."""
