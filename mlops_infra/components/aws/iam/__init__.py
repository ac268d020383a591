"""IAM roles as data, and a linter of them."""
