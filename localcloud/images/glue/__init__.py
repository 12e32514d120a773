"""AWS Glue's Spark: what runs a job's script."""
