"""Lambda functions of the kit, and what calls them."""
