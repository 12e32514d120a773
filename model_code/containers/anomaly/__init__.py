"""Jobs and serving of workloads that watch telemetry: prepare, train, evaluate, serve.

What jobs of all kinds share is in `containers.runtime`.
"""
