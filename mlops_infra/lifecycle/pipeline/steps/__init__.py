"""What a step does in its Pod or process."""
