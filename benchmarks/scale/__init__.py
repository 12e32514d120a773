"""The scoring loop in Spark: the same bytes as the step gives anywhere, and how it grows."""
