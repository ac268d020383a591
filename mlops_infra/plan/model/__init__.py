"""What a plan is made of: frozen values."""
