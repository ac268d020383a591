"""What is refused before anything is installed."""
