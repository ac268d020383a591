"""What every component of the aws profile builds on."""
