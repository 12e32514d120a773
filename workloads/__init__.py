"""What a user writes: one YAML file a workload."""
