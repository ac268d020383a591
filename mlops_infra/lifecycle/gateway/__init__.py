"""The model gateway: one address in front of every model that serves.

It speaks the Open Inference Protocol v2, by HTTP with JSON and by gRPC. On its way a request is
checked against the model's signature and declared ranges, goes to champion or challenger by its
key, is shown to a shadow, and is logged with the answer under a prediction id. Which model serves
where is told by routes (`core.route.Route`) that promotion writes to the key-value store; the
gateway asks no other service.
"""
