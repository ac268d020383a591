"""What NetworkPolicies allow, enforced on the node."""
