"""The settings of each component that has some."""
