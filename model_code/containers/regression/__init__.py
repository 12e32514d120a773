"""The jobs and the serving container of regression workloads."""
