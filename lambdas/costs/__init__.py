"""What a deployment costs: one model for `watchkeeper cost`, the console, preflight and the benchmark.

`prices.json` is the only place where a price is written, each with its date and where it was read.
Free tiers, taxes and data that leaves AWS are not counted.
"""
