"""The scoring loop of an object of telemetry: read, commit the series, score, write, tell.

The rules (intervals, context, threshold, severity) are the shared package's; here is their order, and what
makes a repeated delivery harmless.
"""
