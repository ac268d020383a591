"""The aws profile as Pulumi resources: one provider, the foundation, and what stands on it."""
