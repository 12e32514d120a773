"""Telemetry from where it is already: what other programs write becomes lines under `raw/`.

The functions belong to one workload each, and read nothing but its source. They need pyarrow for Parquet, and
so are in the bundle of the functions that merge and read scores.
"""
