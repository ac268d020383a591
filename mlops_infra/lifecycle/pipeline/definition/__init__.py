"""What a pipeline is: steps, parameters, artefacts. Pure."""
