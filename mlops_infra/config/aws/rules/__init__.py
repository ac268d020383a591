"""Rules between keys of the section `aws`."""
