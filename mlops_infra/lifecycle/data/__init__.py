"""Tables and features: where they come from and the fingerprints that name them."""
