"""The section `aws`."""
