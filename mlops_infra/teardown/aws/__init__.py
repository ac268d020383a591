"""Takes a stack on AWS away."""
