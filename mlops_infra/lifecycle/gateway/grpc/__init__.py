"""The gateway by gRPC."""
