"""The ids of a model's life, and the history of the endpoints that serve it."""
