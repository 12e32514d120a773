"""Workloads that predict a number from the columns of a table: their plan, rows, evaluation, gate and drift.

Streaming telemetry has no part in it. What joins both kinds of workload is in `watchkeeper.kinds`,
fitting and serving in `containers.regression`.
"""
