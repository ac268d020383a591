"""The node: its root file system, network and configuration."""
