"""The HTTP API of the anomaly service: requests, models, files of a tenant.

A bundle of its own, since it has pydantic (docs/adr/0006). It starts executions; what they do is in
`pipeline.service` and `containers.service`, and what both sides agree on in `watchkeeper.service`.
"""
