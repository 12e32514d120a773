"""What the command does for workloads that predict a column of a table."""
