"""The VPC, its exits, security groups and flow logs."""
