"""The Pulumi program: the same for plain `pulumi` and for `mlops-infra`."""
