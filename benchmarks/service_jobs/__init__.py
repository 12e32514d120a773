"""What the anomaly service's jobs find, and how fast they judge."""
