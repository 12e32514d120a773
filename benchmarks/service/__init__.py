"""The anomaly service: its answers under fuzz, its latency, and many requests at once."""
