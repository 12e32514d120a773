"""What nobody would notice otherwise: a workload whose telemetry has stopped."""
