"""The section `tenants`: teams, and the models that they keep."""
