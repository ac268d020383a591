"""The program of a SageMaker container that answers: real-time, serverless, asynchronous, batch.

SageMaker starts the runtime image with the argument `serve`, unpacks the model into `/opt/ml/model`
and speaks HTTP on port 8080: `GET /ping`, `POST /invocations`, and for batch transform
`GET /execution-parameters`. Requests are held against the model's signature by the very code of the
on-prem gateway, so the same mistake gets the same answer on both profiles.
"""
