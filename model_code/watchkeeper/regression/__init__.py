"""Workloads that predict a number from the columns of a table: their plan, rows, evaluation and gate."""
