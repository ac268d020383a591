"""The gateway by HTTP."""
