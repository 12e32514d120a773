"""What nobody would notice otherwise: a workload whose telemetry has stopped.

An alarm on a metric that is there needs no code: such alarms are in `infra.constructs.alarms`.
"""
